#pragma once

#include "actors/ports/job_store.hpp"
#include "tests/support/fake_ledger.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace signalbox {

enum class store_call : std::uint8_t {
  commit,
  plan,
  claim,
  reload,
  renew,
  release,
  flush,
  complete,
  sweep,
  mark,
  refund,
  measure,
};

/// A job store in memory that answers at once, or when told to; fails and throws when told to. Not
/// thread-safe: for actors on the test coordinator.
class fake_store : public job_store {
public:
  explicit fake_store(const wall_clock& clock) : ledger(clock) {}

  /// From now on calls (of this kind) wait until `step` or `let_go`.
  void hold();
  void hold(store_call call) { held_.insert(call); }
  /// Carries out the call that has waited longest and answers it; false if there is none.
  bool step();
  /// Carries out all that waits, and holds nothing from now on.
  void let_go();
  std::size_t waiting() const { return queue_.size(); }

  /// Calls of this kind change nothing and answer with this error, until `heal`.
  void fail(store_call call, errc code = errc::unavailable) { failing_[call] = code; }
  void fail_all(errc code = errc::unavailable);
  /// Nothing fails or throws any more.
  void heal();
  /// The next call of this kind throws in the face of its caller.
  void throw_next(store_call call) { throwing_.insert(call); }

  std::size_t calls(store_call call) const;

  void commit_jobs(std::vector<job_submission> jobs, std::chrono::milliseconds lease,
                   callback<std::vector<commit_result>> done) override;
  void plan(const std::string& lane, std::size_t chunk_size, callback<plan_result> done) override;
  void claim(claim_request request, callback<claim_result> done) override;
  void reload(lease_ref lease, callback<work_ptr> done) override;
  void renew(std::vector<lease_ref> leases, std::chrono::milliseconds lease,
             callback<renewal> done) override;
  void release(std::vector<lease_ref> leases, callback<unit> done) override;
  void flush(std::vector<outcome_batch> batches, callback<flush_result> done) override;
  void complete(std::vector<job_id> jobs, callback<std::vector<job_id>> done) override;
  void sweep(sweep_request request, callback<sweep_result> done) override;
  void mark_sent(std::vector<sent_mark> marks, callback<std::vector<bool>> done) override;
  void refund(std::vector<retry_ref> retries, callback<unit> done) override;
  void measure(const std::string& lane, callback<backlog> done) override;

  fake_ledger ledger;
  std::vector<job_id> superseded;                  ///< what the next plan() says it has superseded
  std::vector<std::vector<job_submission>> groups; ///< as they were asked to be committed
  std::vector<claim_request> claims;
  std::vector<std::vector<lease_ref>> releases;
  std::vector<std::vector<outcome_batch>> flushes;
  std::vector<std::vector<sent_mark>> marks;
  std::vector<std::vector<retry_ref>> refunds;
  std::vector<sweep_request> sweeps;

private:
  template <class T>
  void take(store_call call, callback<T> done, std::function<T()> carry_out);

  std::set<store_call> held_;
  std::deque<std::function<void()>> queue_;
  std::map<store_call, errc> failing_;
  std::set<store_call> throwing_;
  std::map<store_call, std::size_t> calls_;
};

} // namespace signalbox
