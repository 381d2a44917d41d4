#include "actors/master.hpp"

#include "actors/job_states.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <utility>

namespace signalbox {

namespace {

// Short enough for a cancelled job to stop within a second on any node (SPEC 3, Claims).
constexpr std::chrono::milliseconds renew_interval{500};

lease_ref lease_of(const work& of) {
  return {of.kind, of.key, of.epoch};
}

std::string stop_reason(job_status status) {
  switch (status) {
  case job_status::cancelled:
    return "cancelled";
  case job_status::expired:
    return "expired";
  case job_status::superseded:
    return "superseded";
  default:
    return "job_ended";
  }
}

} // namespace

master_actor::master_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
                           job_store& store, const wall_clock& clock,
                           std::shared_ptr<master_ledger> ledger, master_options options)
  : bounded(cfg, std::move(mailbox)), store_(store), clock_(clock), ledger_(std::move(ledger)),
    options_(std::move(options)), releases_({.interval = std::chrono::milliseconds{0},
                                             .retry_min = renew_interval,
                                             .retry_max = renew_interval}) {
  for (auto& [key, held] : ledger_->works) {
    held.reloading = false;
    if (!held.at)
      waiting_.push_back(key);
  }
}

master_actor::behavior_type master_actor::make_behavior() {
  delayed_send<caf::message_priority::high>(master{this}, renew_interval, tick{});
  return {
    [this](const work_hint&) {
      maybe_work_ = true;
      wanted_.clear();
      pump();
    },
    [this](const direct_works& direct) {
      hold_works(direct.works);
      release_blocked();
      pump();
    },
    [this](const credit_grant& grant) { use(grant); },
    [this](claimed& answer) { finish_claim(answer); },
    [this](const reloaded& answer) { finish_reload(answer); },
    [this](const works_finished& finished) {
      for (const auto& of : finished.works)
        forget(of.get());
    },
    [this](const works_returned& returned) { take_back(returned); },
    [this](const released& answer) {
      if (answer.outcome.ok())
        releases_.succeeded();
      else
        releases_.failed(std::exchange(releasing_, {}), clock_.boot_now());
      write_releases();
    },
    [this](const destination_changed& change) { change_destination(change); },
    [this](const leases_renewed& answer) { finish_renewal(answer); },
    [this](const job_stopped& stop) { stop_job(stop); },
    [this](const tick&) {
      delayed_send<caf::message_priority::high>(master{this}, renew_interval, tick{});
      take_back_from_dead_senders();
      write_releases();
      renew();
      // A destination that nobody has asked for yet shows itself only in a claim's answer, and must
      // not wait for room at another one.
      if (asked_ && asked_->claim && asked_->wanted.empty() && maybe_work_ && !claiming_)
        claim();
      pump();
    },
    [this](const peers_changed& change) {
      const bool first = !peers_;
      if (first || peers_->room != change.peers->room)
        asked_.reset();
      peers_ = change.peers;
      if (first)
        return_room(); // what a former one left
      take_back_from_dead_senders();
      pump();
    },
    [this](const drain&) {
      draining_ = true;
      drain_promise_ = make_response_promise<drained>();
      finish_drain();
      return drain_promise_;
    },
  };
}

void master_actor::on_exit() {
  peers_ = nullptr;
}

void master_actor::pump() {
  if (draining_ || claiming_ || !peers_ || !peers_->room)
    return;
  credit_request request{options_.index, {}, maybe_work_, {}};
  for (const auto* of : waiting_)
    if (std::find(request.urgent.begin(), request.urgent.end(), of->dest) == request.urgent.end())
      request.urgent.push_back(of->dest);
  if (request.urgent.empty() && !request.claim)
    return;
  if (request.claim)
    request.wanted = wanted_;
  if (asked_ == request)
    return;
  asked_ = request;
  if (!request.urgent.empty())
    send_urgent(this, peers_->room, open_destinations{request.urgent});
  send_urgent(this, peers_->room, std::move(request));
}

void master_actor::use(const credit_grant& grant) {
  asked_.reset();
  ledger_->room.insert(ledger_->room.end(), grant.shares.begin(), grant.shares.end());
  if (draining_) {
    return_room();
    return;
  }
  assign_waiting();
  if (claiming_)
    return; // the claim uses or returns the rest
  if (grant.claim && maybe_work_) {
    claim();
    return;
  }
  return_room();
  pump();
}

void master_actor::claim() {
  std::map<destination, std::size_t> budgets;
  for (const auto& share : ledger_->room)
    if (share.targets > 0)
      budgets[share.dest] += static_cast<std::size_t>(share.targets);
  claim_request request;
  request.lane = options_.lane;
  request.max_chunks = options_.claim_chunks;
  request.lease = options_.lease;
  for (const auto& [dest, targets] : budgets)
    request.budgets.push_back({dest, targets});
  claiming_ = true;
  maybe_work_ = false;
  claimed_for_ = std::move(budgets);
  store_.claim(std::move(request), [self = master{this}](result<claim_result> outcome) {
    anon_send_urgent(self, claimed{std::move(outcome)});
  });
}

void master_actor::finish_claim(claimed& answer) {
  claiming_ = false;
  auto& [works, refused] = answer.outcome.value;
  if (!answer.outcome.ok()) {
    spdlog::warn("event=claim_failed lane={} code={} error={:?}", options_.lane,
                 to_string(answer.outcome.code), answer.outcome.message);
    return_room();
    finish_drain();
    return; // the sweeper's next hint tries again
  }
  if (draining_) {
    std::vector<lease_ref> leases;
    leases.reserve(works.size());
    for (const auto& of : works)
      leases.push_back(lease_of(*of));
    release(leases);
    finish_drain();
    return;
  }
  hold_works(works);
  assign_waiting();
  release_blocked(); // but the probe, which had room
  if (has_new_room_for(refused)) {
    claim();
    return;
  }
  return_room();
  // A hint that came meanwhile may be about a destination that this claim did not look at.
  const bool hinted = maybe_work_;
  wanted_ = hinted || !works.empty() ? std::vector<destination>{} : refused;
  maybe_work_ = hinted || !works.empty() || !refused.empty();
  if (!works.empty())
    send_urgent(this, peers_->plan, work_hint{}); // there is room for more chunks ahead
  if (!refused.empty())
    send_urgent(this, peers_->room, open_destinations{std::move(refused)});
  pump();
}

// Room that came while the claim was under way, for work that the claim had none for: a probe's
// share would else go to and fro.
bool master_actor::has_new_room_for(const std::vector<destination>& refused) const {
  return std::any_of(ledger_->room.begin(), ledger_->room.end(), [&](const credit_share& share) {
    return share.targets > 0 && !claimed_for_.contains(share.dest) &&
           std::find(refused.begin(), refused.end(), share.dest) != refused.end();
  });
}

void master_actor::hold_works(const std::vector<work_ptr>& works) {
  for (const auto& of : works) {
    ledger_->works.emplace(of.get(), master_ledger::held{of, {}, false});
    waiting_.push_back(of.get());
  }
}

void master_actor::assign_waiting() {
  std::map<std::size_t, assign_works> assignments; // by sender
  std::erase_if(waiting_, [&](const work* of) {
    auto& held = ledger_->works.at(of);
    auto* share = best_share(of->dest);
    if (!share)
      return false;
    share->targets -= static_cast<std::int64_t>(of->size());
    share->probe = 0;
    held.at = peers_->senders[share->sender];
    assignments[share->sender].works.push_back(held.of);
    return true;
  });
  for (auto& [place, assignment] : assignments) {
    assignment.master = options_.index;
    send_urgent(this, peers_->senders[place], std::move(assignment));
  }
}

credit_share* master_actor::best_share(const destination& dest) {
  credit_share* best = nullptr;
  for (auto& share : ledger_->room)
    if (share.dest == dest && share.targets > 0 && (!best || share.targets > best->targets) &&
        peers_->senders[share.sender])
      best = &share;
  return best;
}

void master_actor::forget(const work* of) {
  const auto found = ledger_->works.find(of);
  if (found == ledger_->works.end())
    return;
  std::erase(waiting_, of);
  ledger_->works.erase(found);
}

void master_actor::take_back_from_dead_senders() {
  if (!peers_ || draining_)
    return;
  std::vector<work_ptr> orphans;
  for (auto& [key, held] : ledger_->works)
    if (held.at && !held.reloading &&
        std::find(peers_->senders.begin(), peers_->senders.end(), held.at) ==
          peers_->senders.end()) {
      held.reloading = true;
      orphans.push_back(held.of);
    }
  for (const auto& of : orphans)
    reload(of);
}

void master_actor::reload(const work_ptr& of) {
  store_.reload(lease_of(*of), [self = master{this}, of](result<work_ptr> outcome) {
    anon_send_urgent(self, reloaded{of, std::move(outcome)});
  });
}

void master_actor::finish_reload(const reloaded& answer) {
  const auto found = ledger_->works.find(answer.before.get());
  if (found == ledger_->works.end())
    return;
  auto& held = found->second;
  held.reloading = false;
  if (!answer.outcome.ok())
    return; // the next tick tries again
  forget(answer.before.get());
  if (const auto& left = answer.outcome.value)
    hold_works({left});
  release_blocked();
  pump();
}

void master_actor::renew() {
  if (renewing_ || ledger_->works.empty())
    return;
  std::vector<work_ptr> works;
  std::vector<lease_ref> leases;
  for (const auto& [key, held] : ledger_->works) {
    works.push_back(held.of);
    leases.push_back(lease_of(*held.of));
  }
  renewing_ = true;
  store_.renew(std::move(leases), options_.lease,
               [self = master{this}, works = std::move(works)](result<renewal> outcome) mutable {
                 anon_send_urgent(self, leases_renewed{std::move(works), std::move(outcome)});
               });
}

void master_actor::finish_renewal(const leases_renewed& answer) {
  renewing_ = false;
  if (!answer.outcome.ok()) {
    spdlog::warn("event=renewal_failed lane={} leases={} error={:?}", options_.lane,
                 answer.works.size(), answer.outcome.message);
    return; // senders stop by themselves at the deadline
  }
  std::map<signalbox::sender, extend_leases> extended;
  std::map<signalbox::sender, drop_works> dropped;
  std::map<signalbox::sender, return_works> paused;
  std::set<const work*> given_up;
  const auto& renewed = answer.outcome.value;
  for (std::size_t i = 0; i < answer.works.size(); ++i) {
    const auto& of = answer.works[i];
    const auto found = ledger_->works.find(of.get());
    if (found == ledger_->works.end())
      continue;
    const auto at = found->second.at;
    const auto& lease = renewed.leases[i];
    if (!lease.held) {
      if (at)
        dropped[at].works.push_back(of);
      forget(of.get());
    } else if (at) {
      extended[at].works.push_back(of);
      if (is_terminal(lease.status))
        send_urgent(this, at, job_stopped{of->key.job, stop_reason(lease.status)});
      else if (lease.paused)
        paused[at].works.push_back(of);
    } else if (is_terminal(lease.status) || lease.paused) {
      given_up.insert(of.get());
    }
  }
  for (auto& [at, message] : extended) {
    message.deadline = renewed.deadline;
    message.master = options_.index;
    send_urgent(this, at, std::move(message));
  }
  for (auto& [at, message] : dropped)
    send_urgent(this, at, std::move(message));
  for (auto& [at, message] : paused)
    send_urgent(this, at, std::move(message));
  release_waiting([&](const work& of) { return given_up.contains(&of); });
}

void master_actor::stop_job(const job_stopped& stop) {
  if (!peers_)
    return;
  // Nobody claims them again: the sweeper skips their targets.
  release_waiting([&](const work& of) { return of.key.job == stop.job; });
  const bool holds =
    std::any_of(ledger_->works.begin(), ledger_->works.end(), [&](const auto& each) {
      return each.second.at && each.second.of->key.job == stop.job;
    });
  if (!holds)
    return;
  for (const auto& each : peers_->senders)
    send_urgent(this, each, stop);
}

template <class Predicate>
void master_actor::release_waiting(Predicate fits) {
  std::vector<const work*> given_up;
  std::vector<lease_ref> leases;
  for (const auto* of : waiting_)
    if (fits(*of)) {
      given_up.push_back(of);
      leases.push_back(lease_of(*of));
    }
  for (const auto* of : given_up)
    forget(of);
  release(leases);
}

void master_actor::release_blocked() {
  if (!blocked_.empty())
    release_waiting([this](const work& of) { return blocked_.contains(of.dest); });
}

void master_actor::release(const std::vector<lease_ref>& leases) {
  for (const auto& each : leases)
    releases_.add(each, clock_.boot_now());
  write_releases();
}

void master_actor::write_releases() {
  auto due = releases_.next(clock_.boot_now());
  if (due.empty())
    return;
  releasing_ = due;
  store_.release(std::move(due), [self = master{this}](result<unit> outcome) {
    anon_send_urgent(self, released{std::move(outcome)});
  });
}

void master_actor::take_back(const works_returned& returned) {
  std::vector<lease_ref> leases;
  for (const auto& of : returned.works) {
    if (!ledger_->works.contains(of.get()))
      continue;
    leases.push_back(lease_of(*of));
    forget(of.get());
  }
  release(leases);
}

void master_actor::change_destination(const destination_changed& change) {
  if (change.state == breaker_state::open || change.state == breaker_state::probing) {
    blocked_.insert(change.dest);
    // Not while a claim is under way: what waits may be the probe, and have its room.
    if (!claiming_)
      release_blocked();
    return;
  }
  if (blocked_.erase(change.dest) == 0)
    return;
  maybe_work_ = true;
  wanted_.clear();
  pump();
}

void master_actor::return_room() {
  auto room = std::exchange(ledger_->room, {});
  std::erase_if(room, [](const credit_share& share) { return share.targets == 0; });
  if (!room.empty() && peers_)
    send_urgent(this, peers_->room, credit_return{std::move(room)});
}

void master_actor::finish_drain() {
  if (draining_ && !claiming_ && drain_promise_.pending())
    drain_promise_.deliver(drained{});
}

} // namespace signalbox
