#pragma once

#include "messages/job.hpp"
#include "messages/outcome.hpp"
#include "messages/result.hpp"
#include "messages/work.hpp"

#include <chrono>
#include <cstdint>
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

/// What became of one submission. `code` is errc::ok when the job is durable.
struct commit_result {
  errc code = errc::ok;
  std::string message;
  job_status status = job_status::queued;
  std::vector<work_ptr>
    taken; ///< by provider and environment; empty: the planner or a claim takes it
};

struct plan_result {
  std::size_t chunks = 0; ///< committed by this step
  bool more = false;      ///< another step would commit more at once
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
};

struct renewal {
  boot_clock::time_point deadline; ///< the new deadline of those still held
  std::vector<renewed_lease> leases;
};

struct flush_result {
  std::vector<job_id> finished_chunks_of; ///< jobs to try completion for
  std::size_t stale = 0;                  ///< outcomes of an old epoch: changed nothing
  std::size_t invalidated = 0;            ///< tokens
};

struct sweep_request {
  std::string lane;
  std::size_t limit = 1'000;
};

/// What one tick of the sweeper found and did.
struct sweep_result {
  std::size_t released = 0;  ///< scheduled jobs that became due
  std::size_t completed = 0; ///< jobs whose completion had been missed
  std::size_t skipped = 0;   ///< targets of ended jobs that were closed
  bool work_due = false;     ///< unclaimed chunks or due retries exist
  bool plan_due = false;     ///< jobs wait for planning
};

} // namespace signalbox
