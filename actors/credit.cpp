#include "actors/credit.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace signalbox {

credit_actor::credit_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
                           const wall_clock& clock, breaker_board& board,
                           std::shared_ptr<lane_breakers> breakers, credit_options options)
  : bounded(cfg, std::move(mailbox)), clock_(clock), board_(board), breakers_(std::move(breakers)),
    options_(std::move(options)), ledger_(options_.capacity), random_(options_.seed) {
  for (const auto& [dest, of] : *breakers_)
    if (of.state() != breaker_state::closed)
      ledger_.set_limit(dest, of.limit(SIZE_MAX));
}

credit_actor::behavior_type credit_actor::make_behavior() {
  return {
    [this](credit_request& request) {
      const auto master = request.master;
      waiting_[master] = std::move(request);
      serve();
    },
    [this](const credit_return& returned) {
      give_back(returned.shares);
      serve();
    },
    [this](const open_destinations& seen) {
      for (const auto& dest : seen.destinations)
        ledger_.open(dest);
      serve();
    },
    [this](const credit_used& used) {
      for (const auto& share : used.shares)
        ledger_.set_used(share);
    },
    [this](const destination_report& report) {
      take_report(report);
      serve();
    },
    [this](const reset_breakers& which) {
      reset(which);
      serve();
    },
    [this](const probe_now& which) {
      ask(which);
      serve();
    },
    [this](const tick&) {
      wakes_at_.reset();
      look_at_breakers();
      serve();
    },
    [this](const peers_changed& change) { change_peers(change.peers); },
  };
}

void credit_actor::on_exit() {
  peers_ = nullptr;
}

void credit_actor::serve() {
  if (!peers_)
    return;
  const auto count = waiting_.size();
  auto last_tried = last_served_;
  for (std::size_t i = 0; i < count; ++i) {
    auto next = waiting_.upper_bound(last_tried);
    if (next == waiting_.end())
      next = waiting_.begin();
    last_tried = next->first;
    auto& request = next->second;
    const auto masters = peers_->masters.size();
    shares granted;
    if (!request.urgent.empty())
      granted = ledger_.reserve(request.urgent, true, masters);
    bool claim = false;
    if (request.claim) {
      auto more = ledger_.reserve(request.wanted, false, masters);
      const auto probes = start_probes(request);
      more.insert(more.end(), probes.begin(), probes.end());
      // Only a claim shows which destinations there are: with none known yet, it goes without a
      // budget.
      claim = !more.empty() || ledger_.empty();
      granted.insert(granted.end(), more.begin(), more.end());
    }
    if (granted.empty() && !claim)
      continue;
    last_served_ = next->first;
    waiting_.erase(next);
    grant(last_served_, std::move(granted), claim);
  }
}

credit_actor::shares credit_actor::start_probes(const credit_request& request) {
  shares probes;
  const auto now = clock_.boot_now();
  for (auto& [dest, of] : *breakers_) {
    const bool wanted =
      request.wanted.empty() ||
      std::find(request.wanted.begin(), request.wanted.end(), dest) != request.wanted.end();
    if (!wanted || !of.probe_due(now))
      continue;
    auto share = ledger_.reserve_probe(dest, options_.probe_targets);
    if (!share)
      continue;
    share->probe = of.begin_probe(share->sender, now);
    apply(dest); // before the grant: the sender knows of the probe before it can come
    probes.push_back(*share);
  }
  return probes;
}

void credit_actor::grant(std::size_t master, shares granted, bool claim) {
  const auto& to = peers_->masters.at(master);
  if (!to) {
    give_back(granted);
    return;
  }
  // Asked for an answer, so that room which a dying master never took comes back.
  request<caf::message_priority::high>(to, caf::infinite, credit_grant{granted, claim})
    .then([] {},
          [this, granted](const caf::error&) {
            give_back(granted);
            serve();
          });
}

void credit_actor::give_back(const shares& room) {
  for (const auto& share : room) {
    ledger_.give_back(share);
    if (share.probe != 0 && share.targets > 0 &&
        breaker_of(share.dest).probe_unused(share.probe, clock_.boot_now(), jitter()))
      apply(share.dest);
  }
}

void credit_actor::change_peers(std::shared_ptr<const lane_peers> peers) {
  std::vector<std::optional<platform>> platforms(peers->senders.size());
  for (std::size_t i = 0; i < platforms.size(); ++i)
    if (peers->senders[i])
      platforms[i] = peers->sender_platforms[i];
  ledger_.set_senders(std::move(platforms));
  const auto before = std::exchange(peers_, std::move(peers));
  for (std::size_t i = 0; before && i < peers_->senders.size(); ++i) {
    if (i < before->senders.size() && peers_->senders[i] == before->senders[i])
      continue;
    ledger_.clear_sender(i);
    for (auto& [dest, of] : *breakers_)
      of.probe_lost_at(i, clock_.boot_now(), jitter());
  }
  for (const auto& [dest, of] : *breakers_)
    if (!before || of.watching() || of.state() != breaker_state::closed)
      apply(dest); // for those who are new, or who missed the last word of a former one
  serve();
}

void credit_actor::take_report(const destination_report& report) {
  const auto now = clock_.boot_now();
  auto& of = breaker_of(report.dest);
  const auto before = of.state();
  bool changed =
    report.misconfigured && of.misconfigured(report.sender, report.reason, now, jitter());
  if (!report.refused.empty())
    changed = of.refused(report.sender, report.reason, report.refused, now, jitter()) || changed;
  if (report.success)
    changed = of.succeeded(now) || changed;
  if (report.accepted)
    changed = of.accepted(now) || changed;
  changed = of.failed(report.sender, report.failures, report.reason, now, jitter()) || changed;
  changed = of.committed(report.committed, now) || changed;
  changed = (report.idle && of.probe_idle_at(report.sender, now, jitter())) || changed;
  if (!changed)
    return;
  if (of.state() == breaker_state::closed && before == breaker_state::closed) {
    // a run of failures began or ended
    tell_senders(report.dest, of, report.success, report.accepted);
    return;
  }
  if (of.state() != before)
    spdlog::warn("event=breaker lane={} app={} provider={} environment={} state={} reason={:?}",
                 options_.lane, report.dest.app, to_string(report.dest.provider),
                 to_string(report.dest.env), to_string(of.state()), report.reason);
  apply(report.dest, report.success, report.accepted);
}

void credit_actor::reset(const reset_breakers& which) {
  for (auto& [dest, of] : *breakers_) {
    if (which.dest && *which.dest != dest)
      continue;
    bool changed = false;
    for (const auto kind : {breaker_kind::outage, breaker_kind::configuration})
      if (!which.kind || *which.kind == kind)
        changed = of.reset(kind, clock_.boot_now()) || changed;
    if (!changed)
      continue;
    spdlog::warn("event=breaker_reset lane={} app={} provider={} environment={}", options_.lane,
                 dest.app, to_string(dest.provider), to_string(dest.env));
    apply(dest);
  }
}

void credit_actor::ask(const probe_now& which) {
  for (auto& [dest, of] : *breakers_)
    if ((!which.dest || *which.dest == dest) && of.ask_now(clock_.boot_now()))
      apply(dest);
}

void credit_actor::look_at_breakers() {
  for (auto& [dest, of] : *breakers_)
    if (of.expire(clock_.boot_now(), jitter()))
      apply(dest);
  wake();
}

void credit_actor::apply(const destination& dest, bool success, bool accepted) {
  const auto& of = breaker_of(dest);
  publish(dest, of);
  const auto limited = of.state() != breaker_state::closed;
  ledger_.set_limit(dest, limited ? of.limit(SIZE_MAX) : SIZE_MAX);
  tell_senders(dest, of, success, accepted);
  if (peers_)
    for (const auto& each : peers_->masters)
      send_urgent(this, each, destination_changed{dest, of.state(), of.limit(SIZE_MAX)});
  wake();
}

void credit_actor::tell_senders(const destination& dest, const breaker& of, bool success,
                                bool accepted) {
  if (!peers_)
    return;
  for (std::size_t place = 0; place < peers_->senders.size(); ++place)
    if (peers_->sender_platforms[place] == dest.provider)
      send_urgent(
        this, peers_->senders[place],
        destination_changed{dest, of.state(), of.limit(place), of.watching(), success, accepted});
}

void credit_actor::publish(const destination& dest, const breaker& of) {
  const auto now = clock_.now();
  const auto boot_now = clock_.boot_now();
  const auto wall = [&](boot_clock::time_point at) {
    return now + std::chrono::floor<std::chrono::milliseconds>(at - boot_now);
  };
  for (const auto kind : {breaker_kind::outage, breaker_kind::configuration}) {
    breaker_view view{{options_.lane, dest, kind},
                      of.state(kind),
                      of.reason(kind),
                      wall(of.since(kind)),
                      std::nullopt};
    if (const auto next = of.next_probe(kind))
      view.next_probe = wall(*next);
    board_.put(std::move(view));
  }
}

void credit_actor::wake() {
  const auto now = clock_.boot_now();
  std::optional<boot_clock::time_point> next;
  for (const auto& [dest, of] : *breakers_) // a probe that is due already waits for a request
    if (const auto at = of.wake_at(); at && *at > now && (!next || *at < *next))
      next = at;
  if (!next || (wakes_at_ && *wakes_at_ <= *next))
    return;
  wakes_at_ = next;
  delayed_send<caf::message_priority::high>(
    credit{this}, std::chrono::ceil<std::chrono::milliseconds>(*next - now), tick{});
}

breaker& credit_actor::breaker_of(const destination& dest) {
  return breakers_->try_emplace(dest, options_.breakers).first->second;
}

double credit_actor::jitter() {
  return std::uniform_real_distribution<double>{0.0, 1.0}(random_);
}

} // namespace signalbox
