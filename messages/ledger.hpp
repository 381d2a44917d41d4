#pragma once

#include "messages/job.hpp"
#include "messages/outcome.hpp"
#include "messages/result.hpp"
#include "messages/work.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace signalbox {

/// Who holds leases: a node, and this run of it.
struct lease_owner {
  std::string node;
  uuid boot;
};

/// A job in a commit group. With `take` set, a job whose targets are known and fit into one chunk
/// is committed with that chunk claimed by this node, and comes back as work.
struct job_submission {
  new_job job;
  bool take = false;
};

/// What a request about an activity came to.
struct activity_result {
  std::string activity; ///< the id
  activity_reply reply = activity_reply::started;
  std::optional<job_id> dispatch; ///< none when no job was made
};

/// What became of one submission. `code` is errc::ok when the job is durable.
struct commit_result {
  errc code = errc::ok;
  std::string message;
  job_status status = job_status::queued;
  std::vector<work_ptr>
    taken; ///< by provider and environment; empty: the planner or a claim takes it
  std::optional<activity_result> activity; ///< of a dispatch
};

struct plan_result {
  std::size_t chunks = 0;         ///< committed by this step
  bool more = false;              ///< another step would commit more at once
  std::vector<job_id> superseded; ///< updates that a newer dispatch has ended: stop their works
};

/// How much a claim may take for a destination, in targets.
struct claim_budget {
  destination dest;
  std::size_t targets = 0;
};

struct claim_request {
  std::string lane;
  std::vector<claim_budget> budgets; ///< destinations not named get nothing
  std::size_t max_chunks = 64;
  std::chrono::milliseconds lease{15'000};
};

struct claim_result {
  std::vector<work_ptr> works; ///< due retries first, then chunks, rotating over apps, then jobs
  /// Destinations with work that the request had no budget for (unknown ones included).
  std::vector<destination> refused;
};

struct lease_ref {
  work_kind kind = work_kind::chunk;
  chunk_key key;
  std::uint64_t epoch = 0;
};

/// The renewal's answer for one lease.
struct renewed_lease {
  lease_ref lease;
  bool held = false; ///< false: another owner has it; submit nothing more, report nothing more
  job_status status = job_status::in_progress; ///< terminal: skip what has not been submitted
  bool paused = false;                         ///< give back what has not been submitted
};

/// Targets of a work whose requests may leave once this is durable: for jobs that give up on
/// unknown.
struct sent_mark {
  work_ptr of;
  std::vector<std::uint32_t> positions; ///< in `of->targets`
};

/// A target that was handed over to a retry.
struct retry_ref {
  job_id job;
  token_id token = 0;
};

struct renewal {
  boot_clock::time_point deadline; ///< the new deadline of those still held
  std::vector<renewed_lease> leases;
};

struct flush_result {
  std::vector<job_id> finished_chunks_of; ///< jobs to try completion for
  std::vector<job_id> completed;          ///< jobs that this flush completed itself
  std::size_t stale = 0;                  ///< outcomes of an old epoch: changed nothing
  std::size_t invalidated = 0;            ///< tokens
  std::size_t faulty = 0; ///< outcomes that could not be written in full: never retried
};

struct sweep_request {
  std::string lane;
  std::size_t limit = 1'000;
  /// Finished jobs are deleted after this; those with failures, and dead letters, later.
  std::chrono::hours keep_jobs{7 * 24};
  std::chrono::hours keep_failures{30 * 24};
};

/// What one tick of the sweeper found and did.
struct sweep_result {
  std::size_t released = 0;  ///< scheduled jobs that became due
  std::size_t completed = 0; ///< jobs whose completion had been missed
  std::size_t skipped =
    0; ///< unclaimed targets of ended, and of late paused, jobs that were closed
  std::size_t expired = 0; ///< jobs whose deadline passed before anything was claimed
  std::size_t deleted = 0; ///< jobs and dead letters whose time was over
  std::size_t faulty = 0;  ///< rows that could not be worked on: set aside, the rest went on
  bool more = false;       ///< a limit was reached: another pass would find more at once
  bool work_due = false;   ///< unclaimed chunks or due retries exist
  bool plan_due = false;   ///< jobs wait for planning
};

/// What waits in a lane, without what is paused. Ages are of what is due, since it was due: neither
/// a schedule nor a job's own age counts.
struct backlog {
  std::int64_t ready_chunks = 0;
  std::int64_t due_retries = 0;
  std::int64_t waiting_retries = 0; ///< not due yet
  std::int64_t scheduled_jobs = 0;
  std::int64_t dead_letters = 0;               ///< all lanes'
  std::int64_t pauses = 0;                     ///< all lanes'
  std::int64_t store_bytes = 0;                ///< of the database's file, all lanes'
  std::int64_t store_log_bytes = 0;            ///< of its write-ahead log
  std::chrono::milliseconds oldest_due_age{0}; ///< 0: nothing is due
};

} // namespace signalbox
