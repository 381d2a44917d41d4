#pragma once

#include "adapters/store/sqlite/ledger_state.hpp"
#include "adapters/store/sqlite/retry_pack.hpp"
#include "messages/ledger.hpp"
#include "messages/work.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace signalbox::sqlite {

/// A retry that was claimed.
struct claimed_retry {
  retry_entry entry;
  pack_number pack = 0;
};

/// What a claim committed: a work whose tokens are still to be loaded.
struct claimed_work {
  work_kind kind = work_kind::chunk;
  job_number job = 0;
  chunk_key key;
  std::uint64_t epoch = 0;
  destination dest;
  std::vector<claimed_retry> retries; ///< kind retry
};

/// Loads the tokens of claimed work and checks each again: live, the same row, still in the job's
/// scope; what fails is in `work::settled` with its reason ("deleted" also for a token that went to
/// another user). Targets that are marked as sent are settled as *unknown*; those of a job that
/// ended meanwhile are skipped. Null when nothing is left to do or the lease is gone; throws a
/// failure that is_about_rows when the target list is damaged. It costs what the work has of
/// targets, however many members its topic has between them. On a reader.
std::shared_ptr<work> load_work(connection& database, shared_state& shared,
                                const claimed_work& claimed, boot_clock::time_point lease_deadline);

/// The facts of a job, from the cache if they are there.
job_facts load_job_facts(connection& database, shared_state& shared, job_number job);

/// What a claim took, on its way to its owner.
struct loaded_set {
  std::vector<std::shared_ptr<work>> works;
  std::vector<destination> refused;

  claim_result handed_over() const { return {{works.begin(), works.end()}, refused}; }
};

} // namespace signalbox::sqlite
