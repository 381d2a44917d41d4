#pragma once

#include "actors/batcher.hpp"
#include "actors/bounded.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/job_store.hpp"
#include "messages/protocol.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace signalbox {

struct master_options {
  std::string lane;
  std::size_t index = 0;
  std::size_t claim_chunks = 64;
  std::chrono::milliseconds lease{15'000};
};

/// What a master holds leases for. It outlives the actor: after a crash the successor at the same
/// place goes on with it. Only the actor that is at the place touches it.
struct master_ledger {
  struct held {
    work_ptr of;
    signalbox::sender at;   ///< null: waits for room
    bool reloading = false; ///< its sender died; what is left of it is being read
  };
  std::unordered_map<const work*, held> works;
  std::vector<credit_share> room; ///< granted, and neither used nor returned
};

/// Claims works, hands them to senders that have room, keeps their leases alive, and takes them
/// back from senders that die. Asks for credit before it claims, so that what is claimed is soon
/// sent. What its senders return, and what waits for a destination whose breaker opens or for a job
/// that is paused, it releases.
class master_actor : public bounded<master::base> {
public:
  master_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox, job_store& store,
               const wall_clock& clock, std::shared_ptr<master_ledger> ledger,
               master_options options);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  void pump();
  void use(const credit_grant& grant);
  void claim();
  void finish_claim(claimed& answer);
  bool has_new_room_for(const std::vector<destination>& refused) const;
  void hold_works(const std::vector<work_ptr>& works);
  void assign_waiting();
  credit_share* best_share(const destination& dest);
  void forget(const work* of);
  void take_back_from_dead_senders();
  void reload(const work_ptr& of);
  void finish_reload(const reloaded& answer);
  void renew();
  void finish_renewal(const leases_renewed& answer);
  void stop_job(const job_stopped& stop);
  /// Gives back held works that fit and have no sender.
  template <class Predicate>
  void release_waiting(Predicate fits);
  void release_blocked();
  void release(const std::vector<lease_ref>& leases);
  void write_releases();
  void take_back(const works_returned& returned);
  void change_destination(const destination_changed& change);
  void return_room();
  void finish_drain();

  job_store& store_;
  const wall_clock& clock_;
  std::shared_ptr<master_ledger> ledger_;
  master_options options_;
  std::shared_ptr<const lane_peers> peers_;
  std::vector<const work*> waiting_;    ///< held and without a sender, oldest first
  bool maybe_work_ = true;              // a new master looks for what a former one left
  std::vector<destination> wanted_;     ///< where there is work; empty: not known
  std::optional<credit_request> asked_; ///< what waits for an answer
  std::set<destination> blocked_;       ///< their breakers are open
  batcher<lease_ref> releases_;
  std::vector<lease_ref> releasing_;               ///< the batch under way
  std::map<destination, std::size_t> claimed_for_; ///< budgets of the last claim
  bool claiming_ = false;
  bool renewing_ = false;
  bool draining_ = false;
  caf::typed_response_promise<drained> drain_promise_;
};

} // namespace signalbox
