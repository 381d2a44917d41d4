#pragma once

#include "actors/ports/clock.hpp"
#include "messages/ledger.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace signalbox {

struct ledger_target {
  token_id id = 0;
  destination dest;
};

/// The accounting of SPEC 3 in memory: chunks with done bits, epochs, leases and retry rows. Small
/// where a store would be fast, and honest where it would be: a stale epoch changes nothing, a bit
/// counts once.
class fake_ledger {
public:
  explicit fake_ledger(const wall_clock& clock) : clock_(clock) {}

  void add_topic(const std::string& name, std::vector<ledger_target> members);
  /// Turns a target away at the re-check before the send.
  void skip_at_send(token_id token, std::string reason);

  commit_result commit(const job_submission& submission, std::chrono::milliseconds lease);
  plan_result plan(const std::string& lane, std::size_t chunk_size);
  claim_result claim(const claim_request& request);
  work_ptr reload(const lease_ref& lease);
  renewal renew(const std::vector<lease_ref>& leases, std::chrono::milliseconds lease);
  void release(const std::vector<lease_ref>& leases);
  flush_result flush(const std::vector<outcome_batch>& batches);
  std::vector<job_id> complete(const std::vector<job_id>& ids);
  sweep_result sweep(const sweep_request& request);
  std::vector<bool> mark_sent(const std::vector<sent_mark>& marks);
  void refund(const std::vector<retry_ref>& retries);
  backlog measure(const std::string& lane) const;
  void cancel(const job_id& id);
  /// A paused job is not claimed; renewals of its leases say so.
  void pause(const job_id& id, bool paused = true);
  /// Nobody holds a lease any more: the node was started anew.
  void void_leases();

  /// How a job stands.
  struct account {
    job_status status = job_status::queued;
    std::int64_t planned = 0;
    bool plan_done = false;
    job_counts counts;
    std::int64_t pending() const { return planned - counts.finished(); }
    bool closed() const { return plan_done && pending() == 0; }
  };
  account account_of(const job_id& id) const;
  bool knows(const job_id& id) const { return jobs_.contains(id); }
  std::size_t leased() const;                      ///< chunks and retry rows
  std::size_t expired() const { return expired_; } ///< leases that ran out
  const std::vector<token_id>& invalidated() const { return invalidated_; }
  const std::vector<retry_ref>& dead_letters() const { return dead_letters_; }
  /// Of each retry row of the job, by token.
  std::map<token_id, std::uint16_t> attempts_of(const job_id& id) const;

private:
  enum class chunk_state : std::uint8_t { ready, leased, done };
  struct chunk {
    destination dest;
    std::vector<token_id> ids;
    std::vector<bool> bits;
    std::vector<bool> sent; ///< requests that may have left: of jobs that give up on unknown
    job_counts counts;
    chunk_state state = chunk_state::ready;
    std::uint64_t epoch = 0;
    boot_clock::time_point expires;
  };
  struct retry {
    std::uint32_t seq = 0;
    std::uint32_t index = 0;
    std::uint16_t attempts = 0;
    timestamp run_at;
    std::uint64_t epoch = 0; ///< 0: not claimed
    boot_clock::time_point expires;
    bool sent = false;
  };
  struct job {
    std::string lane;
    job_context_ptr context;
    job_status status = job_status::queued;
    bool paused = false;
    std::optional<timestamp> not_before;
    std::vector<ledger_target> unplanned;
    std::vector<chunk> chunks;
    std::map<token_id, retry> retries;
  };

  void expire_leases();
  void plan_next(job& of, std::size_t chunk_size);
  bool can_plan(const job& of) const;
  work_ptr load_chunk(job& of, std::uint32_t seq);
  work_ptr load_retries(job& of, std::uint32_t seq, std::uint64_t epoch);
  work_ptr build(job& of, work_kind kind, std::uint32_t seq, std::uint64_t epoch,
                 const std::vector<target>& targets, std::vector<settled_target> settled,
                 boot_clock::time_point expires) const;
  void flush_chunk(job& of, const outcome_batch& batch, flush_result& result);
  void flush_retries(job& of, const outcome_batch& batch, flush_result& result);
  void settle(job& of, chunk& in, const outcome& one, flush_result& result);
  void close_ended(job& of, std::size_t limit, sweep_result& result);
  bool try_complete(job& of);

  const wall_clock& clock_;
  std::map<std::string, std::vector<ledger_target>> topics_;
  std::map<token_id, std::string> turned_away_;
  std::map<job_id, job> jobs_;
  std::optional<job_id> last_claimed_;
  std::uint64_t last_epoch_ = 0;
  token_id last_token_ = 1'000'000;
  std::size_t expired_ = 0;
  std::vector<token_id> invalidated_;
  std::vector<retry_ref> dead_letters_;
};

} // namespace signalbox
