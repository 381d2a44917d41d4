#pragma once

#include "actors/ports/callback.hpp"
#include "messages/ledger.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace signalbox {

/// Jobs and what becomes of them: the ledger behind every promise of SPEC 1. Asynchronous and
/// thread-safe: a call queues the work and returns; the callback comes later on a store thread.
/// Leases, due rows and created rows use the store's clock.
class job_store {
public:
  virtual ~job_store() = default;

  /// Commits the group in one durable transaction; one bad job does not hurt the others. The
  /// results are in the order of the submissions. Fails as a whole with unavailable, disk_full or
  /// stopping.
  virtual void commit_jobs(std::vector<job_submission> jobs, std::chrono::milliseconds lease,
                           callback<std::vector<commit_result>> done) = 0;

  /// Plans the next job of the lane that needs it, in turn over jobs: at most 64 chunks a call, and
  /// only while a destination of the job has fewer than 256 unclaimed chunks.
  virtual void plan(const std::string& lane, std::size_t chunk_size,
                    callback<plan_result> done) = 0;

  /// Claims due retries and unclaimed or expired chunks of jobs that are not terminal, committed
  /// before the callback, with targets loaded and re-checked.
  virtual void claim(claim_request request, callback<claim_result> done) = 0;

  /// Loads a claimed work again, less what has been committed for it: for the successor of a sender
  /// that died. The result is null when nothing is left or the lease is no longer held.
  virtual void reload(lease_ref lease, callback<work_ptr> done) = 0;

  /// Renews leases and tells the state of their jobs.
  virtual void renew(std::vector<lease_ref> leases, std::chrono::milliseconds lease,
                     callback<renewal> done) = 0;

  /// Gives back what of a claimed work has no outcome, for the next claim. A target that is marked
  /// as sent comes back as *unknown*: one that was marked and did not leave is reported as `retry`
  /// before, with the attempts that it had, and its work released when that is committed.
  virtual void release(std::vector<lease_ref> leases, callback<unit> done) = 0;

  /// Marks targets as possibly sent, durably, before their bytes leave. The answer says for each
  /// mark whether its lease is still held: else nothing of it may be sent.
  virtual void mark_sent(std::vector<sent_mark> marks, callback<std::vector<bool>> done) = 0;

  /// Takes one attempt back from each retry that still waits: the provider was down, and no
  /// target is charged for that.
  virtual void refund(std::vector<retry_ref> retries, callback<unit> done) = 0;

  /// Records outcomes in one durable transaction: bits, counts for newly set bits, receipts, what
  /// is to be tried again, invalidations, dead letters. Idempotent: a replay counts nothing twice.
  /// On failure nothing was changed.
  virtual void flush(std::vector<outcome_batch> batches, callback<flush_result> done) = 0;

  /// Tries to move jobs on to DISPATCHED and COMPLETED; answers the jobs that completed.
  virtual void complete(std::vector<job_id> jobs, callback<std::vector<job_id>> done) = 0;

  /// One bounded pass over what time has made due or a crash left behind.
  virtual void sweep(sweep_request request, callback<sweep_result> done) = 0;

  /// Counts what waits in a lane. A read; never holds up the writer.
  virtual void measure(const std::string& lane, callback<backlog> done) = 0;
};

} // namespace signalbox
