#pragma once

#include "adapters/store/sqlite/claim_jobs.hpp"
#include "adapters/store/sqlite/ledger_state.hpp"
#include "adapters/store/sqlite/loading.hpp"
#include "adapters/store/sqlite/retry_packs.hpp"

#include <cstddef>
#include <set>
#include <vector>

namespace signalbox::sqlite {

/// The part of one claim that is about retries: packs that are due, the longest due first, each
/// taken whole. Where the claim before left some behind, half of it is one pack of each job in
/// turn, so that those of a large job do not hold up those of a small one. What is paused of them,
/// or of a job that has ended, is parked; what is busy with an older dispatch of its activity is
/// put off; what is damaged is closed. In the writer's transaction.
class retry_claims {
public:
  retry_claims(connection& database, shared_state& shared, writer_state& state, claim_jobs& jobs,
               lane_number lane, timestamp now)
    : database_{database}, shared_{shared}, state_{state}, jobs_{jobs}, lane_{lane}, now_{now} {}

  std::set<app_pool> destinations();

  /// Works of one job each, without their epochs, of `limit` targets in all, and the rest of a
  /// pack.
  std::vector<claimed_work> take(const app_pool& dest, std::size_t limit);

  /// The claim leaves what else may be busy to the next one.
  bool has_put_off_enough() const;

private:
  /// What it comes upon: nothing is written while packs are visited.
  struct found_packs {
    std::vector<retry_pack> free;
    std::size_t free_targets = 0;
    std::vector<retry_pack> busy; ///< as far as they are
    std::vector<pack_number> to_park;
    std::vector<retry_pack> damaged;
    std::set<pack_number> in_turn;
    bool leaves_behind = false; ///< there are more that are due
  };

  retry_cursor& cursor_of(const app_pool& dest);
  lane_pool place_of(const app_pool& dest) const { return {lane_, dest.first, dest.second}; }
  found_packs find(const app_pool& dest, std::size_t limit);
  void look_in_turn(const lane_pool& place, job_number& last, std::size_t limit,
                    found_packs& found);
  void look_by_age(const app_pool& dest, std::size_t limit, found_packs& found);
  void look_at(retry_pack pack, found_packs& found);
  void split_busy(claim_job& job, retry_pack& pack, std::vector<retry_pack>& busy);
  const std::optional<std::vector<token_id>>& busy_with(claim_job& job, const retry_pack& pack);
  void park(pack_number n);
  void put_off(retry_pack& busy);
  void close(const retry_pack& damaged);
  std::vector<claimed_work> works_of(std::vector<retry_pack> packs);

  connection& database_;
  shared_state& shared_;
  writer_state& state_;
  claim_jobs& jobs_;
  lane_number lane_;
  timestamp now_;
  std::size_t put_off_ = 0;
};

} // namespace signalbox::sqlite
