#pragma once

#include "actors/bounded.hpp"
#include "actors/failure_run.hpp"
#include "actors/lane_board.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/job_store.hpp"
#include "actors/ports/provider_transport.hpp"
#include "actors/retry_policy.hpp"
#include "messages/protocol.hpp"

#include <boost/container/small_vector.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace signalbox {

struct sender_options {
  std::string lane;
  std::size_t index = 0;      ///< its place among the lane's senders
  std::size_t window = 1'400; ///< requests submitted and not yet committed, for each destination
  retry_rules retries;
  unsigned breaker_failures = 20; ///< in a row, open the breaker
  std::uint64_t seed = 0;         ///< of the jitter
  /// What an answer means at this sender's provider.
  std::function<verdict(const answer&)> classify;
  std::shared_ptr<lane_counters> counters; ///< null: not counted
};

/// Owns, for each (app, environment), a window of requests in flight over its own connections.
/// Works share a window in slices, so that a large one never holds up a small one. A slot of the
/// window frees when its outcome is durable, which is what bounds duplicates after a crash.
///
/// Of a destination whose breaker opens, and of works whose jobs are paused, nothing more is
/// submitted; what was not is returned once the rest has its outcome. Targets of jobs that give up
/// on unknown are marked in the store before they are submitted.
class sender_actor : public bounded<signalbox::sender::base> {
public:
  sender_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox, job_store& store,
               std::shared_ptr<provider_transport> transport, const wall_clock& clock,
               sender_options options);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  static bool is_withdrawn(const signalbox::answer& from) {
    return from.kind == answer_kind::unsent && from.reason == withdrawn;
  }

  struct submission { ///< of targets from `first` on
    std::uint32_t first = 0;
    std::uint64_t accepts = 0; ///< of the window at that time
  };
  struct active {
    work_ptr of;
    std::size_t master = 0;
    std::uint32_t next = 0;    ///< first target that was not submitted
    std::size_t committed = 0; ///< targets with a durable outcome
    boost::container::small_vector<submission, 2> submissions;
    boot_clock::time_point lease_deadline;
    bool queued = false;    ///< in its window's ring
    bool returning = false; ///< goes back as soon as what was submitted has its outcomes
    std::optional<outcome_status> stopped; ///< its job ended: what becomes of the rest
    std::string stop_reason;
  };
  struct tally { ///< answers of one message
    bool success = false;
    bool accepted = false; ///< the credentials are good
    unsigned failures = 0;
    bool misconfigured = false;
    std::vector<refused_target> refused;
    std::string reason; ///< of a refusal, else of a failure
  };
  struct window {
    explicit window(const sender_options& options)
      : limit(options.window), run(options.breaker_failures) {}

    std::size_t in_use = 0;          ///< submitted and not committed
    std::size_t awaiting_commit = 0; ///< of those, answered
    std::size_t held = 0;            ///< targets of all active works without a durable outcome
    std::deque<const work*> ring;    ///< works with targets left to submit
    breaker_state state = breaker_state::closed;
    std::size_t limit;    ///< in_use stays within it
    bool watched = false; ///< credit wants to hear of the next success
    bool accept_watched = false;
    std::uint64_t accepts = 0;      ///< messages with one: grows as time passes
    std::vector<retry_ref> refused; ///< charged for a refusal since, as many as a window holds
    failure_run run;
    tally seen;
    standing means = standing::working; ///< a failure of outage kind in this message
    bool answered = false;              ///< in this message
  };
  struct reported {
    work_ptr of;
    std::size_t outcomes = 0;
    std::size_t slots = 0;   ///< of those, how many hold a slot of the window
    std::size_t settled = 0; ///< of those, how many the provider answered for good
  };
  struct unacknowledged {
    report_outcomes report;
    std::vector<reported> parts;
  };

  void take(const assign_works& assignment);
  void enqueue_work(active& work);
  void pump(const destination& dest);
  void take_answers(const answers& arrived);
  std::vector<verdict> judge(const answers& arrived);
  void note(const answer_batch& batch, const answer& from, verdict& judged, window& in);
  void conclude(const destination& dest, window& of);
  outcome decide_on(const verdict& judged, const work& of, std::uint32_t position, timestamp now,
                    window& in);
  void change_destination(const destination_changed& change);
  void send_refunds();
  void return_work(const work* of);
  void finish_return(const work* of);
  void leave(const work* of);
  void erase(const work* of);
  void tell_if_idle(const destination& dest);
  void send_returned();
  void mark(std::vector<work_slice> slices);
  void take_marks(const slices_marked& answer);
  void submit_marked(const work_slice& slice);
  void mark_again();
  bool may_submit(const active& work);
  void put_back(const work_slice& slice);
  outcome not_sent(const active& work, std::uint32_t position, timestamp now) const;
  void withdraw(const active& work);
  void finish_drain();
  void wake();
  window& window_of(const destination& dest);
  void stop_job(const job_stopped& stop);
  void drop(const std::vector<work_ptr>& works);
  void extend(const extend_leases& extension);
  void settle_rest(active& work, outcome_status status, const std::string& reason);
  void report(outcome_batch batch, std::size_t slots, bool pressing);
  void send_report(); ///< what one message brought about goes out as one report
  void acknowledge(std::uint64_t number);
  void change_peers(const lane_peers& peers);
  void return_credit(const destination& dest, std::size_t targets);

  std::shared_ptr<provider_transport> transport_;
  const wall_clock& clock_;
  sender_options options_;
  std::mt19937_64 random_;
  job_store& store_;
  std::unordered_map<const work*, active> works_;
  std::map<destination, window> windows_;
  unacknowledged draft_;
  std::deque<unacknowledged> unacknowledged_;
  std::uint64_t last_report_ = 0;
  std::vector<master> masters_;
  outcome_batcher outcomes_;
  credit room_;
  std::map<std::size_t, works_returned> returned_; ///< by master; goes out with the message's end
  std::map<std::uint64_t, std::vector<retry_ref>> refunds_; ///< by the report they wait for
  std::vector<work_slice> unmarked_;                        ///< the store failed to mark them
  std::size_t marking_ = 0;                                 ///< calls under way
  bool awake_ = false;                                      ///< a timer is under way
  bool transport_stopped_ = false;
  bool draining_ = false;
  caf::typed_response_promise<drained> drain_promise_;
};

} // namespace signalbox
