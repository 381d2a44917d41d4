#include "actors/master.hpp"

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

bool is_terminal(job_status status) {
  return status == job_status::completed || status == job_status::failed ||
         status == job_status::cancelled || status == job_status::expired ||
         status == job_status::superseded;
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
                           job_store& store, std::shared_ptr<master_ledger> ledger,
                           master_options options)
  : bounded(cfg, std::move(mailbox)), store_(store), ledger_(std::move(ledger)),
    options_(std::move(options)) {
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
      for (const auto& of : direct.works) {
        ledger_->works.emplace(of.get(), master_ledger::held{of, {}, true, false});
        waiting_.push_back(of.get());
      }
      pump();
    },
    [this](credit_grant& grant) {
      asked_.reset();
      use(std::move(grant.shares));
    },
    [this](claimed& answer) { finish_claim(answer); },
    [this](const reloaded& answer) { finish_reload(answer); },
    [this](const works_finished& finished) {
      for (const auto& of : finished.works)
        forget(of.get());
      report_direct();
    },
    [this](const leases_renewed& answer) { finish_renewal(answer); },
    [this](const job_stopped& stop) { stop_job(stop); },
    [this](const tick&) {
      delayed_send<caf::message_priority::high>(master{this}, renew_interval, tick{});
      take_back_from_dead_senders();
      renew();
      pump();
    },
    [this](const peers_changed& change) {
      if (!peers_ || peers_->room != change.peers->room)
        asked_.reset();
      peers_ = change.peers;
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
  assignments_.clear();
}

void master_actor::pump() {
  if (draining_ || claiming_ || !peers_ || !peers_->room)
    return;
  const bool urgent = !waiting_.empty();
  if (!urgent && !maybe_work_)
    return;
  if (asked_ && (*asked_ || !urgent))
    return;
  asked_ = urgent;
  credit_request request{options_.index, urgent, {}};
  if (urgent) {
    for (const auto* of : waiting_)
      if (std::find(request.wanted.begin(), request.wanted.end(), of->dest) == request.wanted.end())
        request.wanted.push_back(of->dest);
    send_urgent(this, peers_->room, open_destinations{request.wanted});
  } else {
    request.wanted = wanted_;
  }
  send_urgent(this, peers_->room, std::move(request));
}

void master_actor::use(shares room) {
  if (draining_) {
    return_credit(std::move(room));
    return;
  }
  std::erase_if(waiting_, [&](const work* of) {
    auto& held = ledger_->works.at(of);
    return assign(held.of, room);
  });
  flush_assignments();
  std::map<destination, std::size_t> budgets;
  for (const auto& share : room)
    if (share.targets > 0)
      budgets[share.dest] += static_cast<std::size_t>(share.targets);
  if (!maybe_work_ || !waiting_.empty()) {
    return_credit(std::move(room));
    pump();
    return;
  }
  claim_request request;
  request.lane = options_.lane;
  request.max_chunks = options_.claim_chunks;
  request.lease = options_.lease;
  for (const auto& [dest, targets] : budgets)
    request.budgets.push_back({dest, targets});
  claiming_ = true;
  maybe_work_ = false;
  store_.claim(std::move(request),
               [self = master{this}, room = std::move(room)](result<claim_result> outcome) mutable {
                 anon_send_urgent(self, claimed{std::move(outcome), std::move(room)});
               });
}

void master_actor::finish_claim(claimed& answer) {
  claiming_ = false;
  auto& [works, refused] = answer.outcome.value;
  if (!answer.outcome.ok()) {
    spdlog::warn("event=claim_failed lane={} code={} error=\"{}\"", options_.lane,
                 to_string(answer.outcome.code), answer.outcome.message);
    return_credit(std::move(answer.grant));
    finish_drain();
    return; // the sweeper's next hint tries again
  }
  if (draining_) {
    std::vector<lease_ref> leases;
    for (const auto& of : works)
      leases.push_back(lease_of(*of));
    if (!leases.empty())
      store_.release(std::move(leases), [](const result<unit>&) {});
    finish_drain();
    return;
  }
  for (const auto& of : works) {
    ledger_->works.emplace(of.get(), master_ledger::held{of, {}, false, false});
    if (!assign(of, answer.grant))
      waiting_.push_back(of.get());
  }
  flush_assignments();
  return_credit(std::move(answer.grant));
  if (!works.empty()) {
    maybe_work_ = true;
    wanted_.clear();
    send_urgent(this, peers_->plan, work_hint{}); // there is room for more chunks ahead
  } else if (!refused.empty()) {
    maybe_work_ = true;
    wanted_ = refused;
  }
  if (!refused.empty())
    send_urgent(this, peers_->room, open_destinations{std::move(refused)});
  pump();
}

bool master_actor::assign(const work_ptr& of, shares& room) {
  credit_share* best = nullptr;
  for (auto& share : room)
    if (share.dest == of->dest && share.targets > 0 && (!best || share.targets > best->targets) &&
        peers_->senders[share.sender])
      best = &share;
  if (!best)
    return false;
  best->targets -= static_cast<std::int64_t>(of->size());
  ledger_->works.at(of.get()).at = peers_->senders[best->sender];
  auto& assignment = assignments_[best->sender];
  assignment.master = options_.index;
  assignment.works.push_back(of);
  return true;
}

void master_actor::flush_assignments() {
  for (auto& [place, assignment] : assignments_)
    send_urgent(this, peers_->senders[place], std::move(assignment));
  assignments_.clear();
}

void master_actor::forget(const work* of) {
  const auto found = ledger_->works.find(of);
  if (found == ledger_->works.end())
    return;
  finished_direct_ += found->second.direct ? 1 : 0;
  std::erase(waiting_, of);
  ledger_->works.erase(found);
}

void master_actor::report_direct() {
  if (finished_direct_ == 0 || !peers_ || !peers_->group)
    return;
  send_urgent(this, peers_->group, direct_finished{options_.lane, finished_direct_});
  finished_direct_ = 0;
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
  if (const auto& left = answer.outcome.value) {
    ledger_->works.emplace(left.get(), master_ledger::held{left, {}, held.direct, false});
    waiting_.push_back(left.get());
    held.direct = false;
  }
  forget(answer.before.get());
  report_direct();
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
    spdlog::warn("event=renewal_failed lane={} leases={} error=\"{}\"", options_.lane,
                 answer.works.size(), answer.outcome.message);
    return; // senders stop by themselves at the deadline
  }
  std::map<signalbox::sender, extend_leases> extended;
  std::map<signalbox::sender, drop_works> dropped;
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
    }
  }
  for (auto& [at, message] : extended) {
    message.deadline = renewed.deadline;
    send_urgent(this, at, std::move(message));
  }
  for (auto& [at, message] : dropped)
    send_urgent(this, at, std::move(message));
  report_direct();
}

void master_actor::stop_job(const job_stopped& stop) {
  if (!peers_)
    return;
  const bool holds =
    std::any_of(ledger_->works.begin(), ledger_->works.end(), [&](const auto& each) {
      return each.second.at && each.second.of->key.job == stop.job;
    });
  if (!holds)
    return;
  for (const auto& each : peers_->senders)
    send_urgent(this, each, stop);
}

void master_actor::return_credit(shares room) {
  std::erase_if(room, [](const credit_share& share) { return share.targets == 0; });
  if (!room.empty() && peers_)
    send_urgent(this, peers_->room, credit_return{std::move(room)});
}

void master_actor::finish_drain() {
  if (draining_ && !claiming_ && drain_promise_.pending())
    drain_promise_.deliver(drained{});
}

} // namespace signalbox
