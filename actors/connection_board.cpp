#include "actors/connection_board.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace signalbox {

namespace {

using namespace std::chrono_literals;

constexpr auto every_minute = 60s;
// A host that fails and works in turn must not fill the log either.
constexpr auto after_a_success = 5s;

} // namespace

void connection_board::failed(const connection_place& at, connection_fault fault,
                              std::string_view why) {
  std::lock_guard lock{mutex_};
  auto& of = hosts_[at];
  if (!of.failing_since)
    of.failing_since = clock_.now();
  ++of.failures;
  ++of.counts[static_cast<std::size_t>(fault)];
  failures_.fetch_add(1, std::memory_order_relaxed);
  show(at, of, why);
  if (log(at, of.told_failure, of.is_known_to_fail ? every_minute : after_a_success,
          "no_connection", fault, why))
    of.is_known_to_fail = true;
}

void connection_board::lost(const connection_place& at, connection_fault fault,
                            std::string_view why) {
  std::lock_guard lock{mutex_};
  auto& of = hosts_[at];
  ++of.counts[static_cast<std::size_t>(fault)];
  log(at, of.told_loss, every_minute, "connection_lost", fault, why);
}

void connection_board::answered(const connection_place& at) {
  std::lock_guard lock{mutex_};
  const auto known = hosts_.find(at);
  if (known == hosts_.end() || !known->second.failing_since)
    return;
  auto& of = known->second;
  if (std::exchange(of.is_known_to_fail, false))
    spdlog::info("event=connected provider={} environment={} server={} failures={}",
                 to_string(at.dest.provider), to_string(at.dest.env), at.server, of.failures);
  of.failing_since.reset();
  of.failures = 0;
  show(at, of, {});
}

std::vector<connection_failures> connection_board::list() const {
  std::lock_guard lock{mutex_};
  std::vector<connection_failures> all;
  for (const auto& [place, of] : hosts_)
    for (std::size_t i = 0; i < faults; ++i)
      if (of.counts[i] > 0)
        all.push_back({place, static_cast<connection_fault>(i), of.counts[i]});
  return all;
}

bool connection_board::log(const connection_place& at, telling& told, std::chrono::seconds interval,
                           const char* event, connection_fault fault, std::string_view why) {
  const auto now = clock_.boot_now();
  if (told.at && now < *told.at + interval) {
    ++told.unlogged;
    return false;
  }
  told.at = now;
  spdlog::warn("event={} provider={} environment={} server={} fault={} reason={:?} unlogged={}",
               event, to_string(at.dest.provider), to_string(at.dest.env), at.server,
               to_string(fault), why, std::exchange(told.unlogged, 0));
  return true;
}

void connection_board::show(const connection_place& at, const host& of, std::string_view why) {
  const bool failing = of.failing_since.has_value();
  shown_.put({{"", at.dest, breaker_kind::connection, at.server},
              failing ? breaker_state::open : breaker_state::closed,
              std::string{why},
              failing ? *of.failing_since : timestamp{},
              std::nullopt});
}

} // namespace signalbox
