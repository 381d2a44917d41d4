#include "tests/support/fake_store.hpp"

#include <stdexcept>
#include <utility>

namespace signalbox {

namespace {

constexpr store_call all_calls[] = {store_call::commit, store_call::plan,     store_call::claim,
                                    store_call::reload, store_call::renew,    store_call::release,
                                    store_call::flush,  store_call::complete, store_call::sweep,
                                    store_call::mark,   store_call::refund,   store_call::measure};

} // namespace

void fake_store::hold() {
  for (const auto call : all_calls)
    hold(call);
}

bool fake_store::step() {
  if (queue_.empty())
    return false;
  const auto next = std::move(queue_.front());
  queue_.pop_front();
  next();
  return true;
}

void fake_store::let_go() {
  held_.clear();
  while (step()) {
  }
}

void fake_store::fail_all(errc code) {
  for (const auto call : all_calls)
    fail(call, code);
}

void fake_store::heal() {
  failing_.clear();
  throwing_.clear();
}

std::size_t fake_store::calls(store_call call) const {
  const auto found = calls_.find(call);
  return found == calls_.end() ? 0 : found->second;
}

template <class T>
void fake_store::take(store_call call, callback<T> done, std::function<T()> carry_out) {
  if (throwing_.erase(call) > 0)
    throw std::runtime_error("the store was told to throw");
  ++calls_[call];
  auto answer = [this, call, done = std::move(done), carry_out = std::move(carry_out)] {
    const auto failing = failing_.find(call);
    if (failing != failing_.end())
      done(result<T>::failure(failing->second, "told to fail"));
    else
      done(result<T>::success(carry_out()));
  };
  if (held_.contains(call))
    queue_.push_back(std::move(answer));
  else
    answer();
}

void fake_store::commit_jobs(std::vector<job_submission> jobs, std::chrono::milliseconds lease,
                             callback<std::vector<commit_result>> done) {
  groups.push_back(jobs);
  take<std::vector<commit_result>>(store_call::commit, std::move(done),
                                   [this, jobs = std::move(jobs), lease] {
                                     std::vector<commit_result> results;
                                     for (const auto& each : jobs)
                                       results.push_back(ledger.commit(each, lease));
                                     return results;
                                   });
}

void fake_store::plan(const std::string& lane, std::size_t chunk_size, callback<plan_result> done) {
  take<plan_result>(store_call::plan, std::move(done), [this, lane, chunk_size] {
    auto planned = ledger.plan(lane, chunk_size);
    planned.superseded = std::exchange(superseded, {});
    return planned;
  });
}

void fake_store::claim(claim_request request, callback<claim_result> done) {
  claims.push_back(request);
  take<claim_result>(store_call::claim, std::move(done),
                     [this, request = std::move(request)] { return ledger.claim(request); });
}

void fake_store::reload(lease_ref lease, callback<work_ptr> done) {
  take<work_ptr>(store_call::reload, std::move(done),
                 [this, lease] { return ledger.reload(lease); });
}

void fake_store::renew(std::vector<lease_ref> leases, std::chrono::milliseconds lease,
                       callback<renewal> done) {
  take<renewal>(store_call::renew, std::move(done),
                [this, leases = std::move(leases), lease] { return ledger.renew(leases, lease); });
}

void fake_store::release(std::vector<lease_ref> leases, callback<unit> done) {
  releases.push_back(leases);
  take<unit>(store_call::release, std::move(done), [this, leases = std::move(leases)] {
    ledger.release(leases);
    return unit{};
  });
}

void fake_store::flush(std::vector<outcome_batch> batches, callback<flush_result> done) {
  flushes.push_back(batches);
  take<flush_result>(store_call::flush, std::move(done),
                     [this, batches = std::move(batches)] { return ledger.flush(batches); });
}

void fake_store::complete(std::vector<job_id> jobs, callback<std::vector<job_id>> done) {
  take<std::vector<job_id>>(store_call::complete, std::move(done),
                            [this, jobs = std::move(jobs)] { return ledger.complete(jobs); });
}

void fake_store::sweep(sweep_request request, callback<sweep_result> done) {
  sweeps.push_back(request);
  take<sweep_result>(store_call::sweep, std::move(done),
                     [this, request = std::move(request)] { return ledger.sweep(request); });
}

void fake_store::mark_sent(std::vector<sent_mark> asked, callback<std::vector<bool>> done) {
  marks.push_back(asked);
  take<std::vector<bool>>(store_call::mark, std::move(done),
                          [this, asked = std::move(asked)] { return ledger.mark_sent(asked); });
}

void fake_store::refund(std::vector<retry_ref> retries, callback<unit> done) {
  refunds.push_back(retries);
  take<unit>(store_call::refund, std::move(done), [this, retries = std::move(retries)] {
    ledger.refund(retries);
    return unit{};
  });
}

void fake_store::measure(const std::string& lane, callback<backlog> done) {
  take<backlog>(store_call::measure, std::move(done),
                [this, lane] { return ledger.measure(lane); });
}

} // namespace signalbox
