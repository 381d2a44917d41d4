#pragma once

#include "actors/bounded.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/provider_transport.hpp"
#include "actors/retry_policy.hpp"
#include "messages/protocol.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
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
  std::uint64_t seed = 0; ///< of the jitter
  /// What an answer means at this sender's provider.
  std::function<verdict(const answer&)> classify;
};

/// Owns, for each (app, environment), a window of requests in flight over its own connections.
/// Works share a window in slices, so that a large one never holds up a small one. A slot of the
/// window frees when its outcome is durable, which is what bounds duplicates after a crash.
class sender_actor : public bounded<signalbox::sender::base> {
public:
  sender_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
               std::shared_ptr<provider_transport> transport, const wall_clock& clock,
               sender_options options);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  struct active {
    work_ptr of;
    std::size_t master = 0;
    std::uint32_t next = 0;    ///< first target that was not submitted
    std::size_t committed = 0; ///< targets with a durable outcome
    boot_clock::time_point lease_deadline;
    bool queued = false; ///< in its window's ring
  };
  struct window {
    std::size_t in_use = 0;          ///< submitted and not committed
    std::size_t awaiting_commit = 0; ///< of those, answered
    std::size_t held = 0;            ///< targets of all active works without a durable outcome
    std::deque<const work*> ring;    ///< works with targets left to submit
  };
  struct reported {
    work_ptr of;
    std::size_t outcomes = 0;
    std::size_t slots = 0; ///< of those, how many hold a slot of the window
  };
  struct unacknowledged {
    report_outcomes report;
    std::vector<reported> parts;
  };

  void take(const assign_works& assignment);
  void enqueue_work(active& work);
  void pump(const destination& dest);
  void take_answers(const answers& arrived);
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
  std::unordered_map<const work*, active> works_;
  std::map<destination, window> windows_;
  unacknowledged draft_;
  std::deque<unacknowledged> unacknowledged_;
  std::uint64_t last_report_ = 0;
  std::vector<master> masters_;
  outcome_batcher outcomes_;
  credit room_;
  bool draining_ = false;
  caf::typed_response_promise<drained> drain_promise_;
};

} // namespace signalbox
