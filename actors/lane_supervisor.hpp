#pragma once

#include "actors/breaker.hpp"
#include "actors/breaker_board.hpp"
#include "actors/job_door.hpp"
#include "actors/lane_board.hpp"
#include "actors/outcome_batcher.hpp"
#include "actors/ports/change_feed.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/job_store.hpp"
#include "actors/ports/provider_transport.hpp"
#include "actors/restart_policy.hpp"
#include "actors/retry_policy.hpp"
#include "actors/stage_directory.hpp"
#include "actors/verdict.hpp"
#include "messages/protocol.hpp"

#include <caf/actor.hpp>
#include <caf/system_messages.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace signalbox {

struct master_ledger;
using lane_breakers = std::map<destination, breaker>;

/// A provider that a lane can send to.
struct provider_options {
  platform provider = platform::apns;
  /// Connections of its own for each sender, made anew when the sender is restarted.
  std::function<std::shared_ptr<provider_transport>()> make_transport;
  std::function<verdict(const answer&)> classify;
};

struct lane_options {
  std::string name;
  std::size_t masters = 1;
  std::size_t senders = 1; ///< for each provider
  std::int64_t ingest_mailbox = 4'096;
  std::int64_t mailbox = 1'024;
  std::size_t commit_credit = 512; ///< jobs on their way to the committer
  std::size_t window = 1'400;
  std::size_t chunk_size = 1'000;
  std::size_t claim_chunks = 64;
  std::chrono::milliseconds lease{15'000};
  std::chrono::milliseconds due_interval{500};
  std::chrono::hours keep_jobs{7 * 24};
  std::chrono::hours keep_failures{30 * 24};
  std::size_t flush_size = 1'000;
  std::chrono::milliseconds flush_interval{20};
  retry_rules retries;
  breaker_rules breakers; ///< their window is the lane's
  restart_rules restarts;
  std::vector<provider_options> providers;
  /// Of the jitter, one for each actor that has some.
  std::function<std::uint64_t()> seed = [] { return std::random_device{}(); };
};

/// What the actors of a node share. Outlives all of them.
struct node_ports {
  job_store& store;
  const wall_clock& clock;
  job_door& door;
  stage_directory& directory;
  breaker_board& breakers;
  lane_board& lanes;
  change_feed& changes;
};

/// Owns one lane's actors.
class lane_supervisor_actor : public lane_supervisor::base {
public:
  /// `parent` hears of every change of the lane's peers.
  lane_supervisor_actor(caf::actor_config& cfg, node_ports ports, lane_options options,
                        node_supervisor parent);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  struct child {
    stage_place place;
    std::function<caf::actor()> start;
    restart_policy restarts;
    caf::actor handle;
  };
  enum first_place : std::size_t {
    door_place,
    plan_place,
    room_place,
    outcomes_place,
    sweep_place,
    masters_place
  };

  void add(const std::string& stage, std::size_t instance, std::int64_t capacity,
           std::function<caf::actor(std::shared_ptr<mailbox_stats>)> spawn);
  void add_children();
  void start(std::size_t place);
  void child_down(const caf::down_msg& down);
  void publish();
  void drain_stages(std::vector<std::vector<std::size_t>> stages,
                    caf::typed_response_promise<drained> promise);

  node_ports ports_;
  lane_options options_;
  node_supervisor parent_;
  committer group_;
  broadcaster events_;
  std::vector<child> children_;
  std::vector<std::shared_ptr<master_ledger>> ledgers_;
  std::shared_ptr<lane_breakers> breakers_ = std::make_shared<lane_breakers>();
  std::shared_ptr<token_guard> guard_;
  bool draining_ = false;
};

} // namespace signalbox
