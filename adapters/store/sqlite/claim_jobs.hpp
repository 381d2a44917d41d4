#pragma once

#include "adapters/store/sqlite/destinations.hpp"
#include "adapters/store/sqlite/ledger_state.hpp"
#include "adapters/store/sqlite/pauses.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace signalbox::sqlite {

/// What a claim has to know of a job whose work it comes upon.
struct claim_job {
  job_id id;
  job_status status = job_status::queued;
  bool is_dispatch = false; ///< of an activity
  /// With older dispatches, once looked up; nothing if that cannot be known.
  std::map<pool_code, std::optional<std::vector<token_id>>> busy;
  std::optional<job_traits> traits; ///< while there are pauses of jobs
};

/// The jobs that one claim comes upon, each looked up once, and how much it found that it cannot
/// take. A job that is too late for its first claim expires. In the writer's transaction.
class claim_jobs {
public:
  claim_jobs(connection& database, shared_state& shared, writer_state& state, timestamp now)
    : database_{database}, shared_{shared}, state_{state}, now_{now} {}

  claim_job& operator[](job_number job);
  bool is_paused(const claim_job& job, pool_code pool) const;

  void pass_by() { ++passed_by_; }
  void note_parked(std::size_t rows) { parked_ += rows; }
  bool has_parked_enough() const;
  /// The claim leaves the rest to the next one.
  bool has_enough() const;

private:
  claim_job& expire(job_number job, claim_job& late);

  connection& database_;
  shared_state& shared_;
  writer_state& state_;
  timestamp now_;
  std::unordered_map<job_number, claim_job> jobs_;
  std::size_t passed_by_ = 0;
  std::size_t parked_ = 0;
};

} // namespace signalbox::sqlite
