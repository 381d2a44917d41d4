#include "messages/activity.hpp"
#include "messages/breaker_state.hpp"
#include "messages/connection_fault.hpp"
#include "messages/destination.hpp"
#include "messages/job.hpp"
#include "messages/outcome.hpp"
#include "messages/result.hpp"

#include <array>
#include <utility>

namespace signalbox {

namespace {

template <class T>
using name_of = std::pair<T, std::string_view>;

constexpr std::array platforms{name_of<platform>{platform::apns, "apns"},
                               name_of<platform>{platform::fcm, "fcm"}};

constexpr std::array environments{name_of<environment>{environment::production, "production"},
                                  name_of<environment>{environment::sandbox, "sandbox"}};

constexpr std::array job_statuses{
  name_of<job_status>{job_status::scheduled, "SCHEDULED"},
  name_of<job_status>{job_status::queued, "QUEUED"},
  name_of<job_status>{job_status::in_progress, "IN_PROGRESS"},
  name_of<job_status>{job_status::dispatched, "DISPATCHED"},
  name_of<job_status>{job_status::completed, "COMPLETED"},
  name_of<job_status>{job_status::failed, "FAILED"},
  name_of<job_status>{job_status::cancelled, "CANCELLED"},
  name_of<job_status>{job_status::expired, "EXPIRED"},
  name_of<job_status>{job_status::superseded, "SUPERSEDED"},
};

constexpr std::array outcome_statuses{
  name_of<outcome_status>{outcome_status::accepted, "accepted"},
  name_of<outcome_status>{outcome_status::rejected, "rejected"},
  name_of<outcome_status>{outcome_status::unknown, "unknown"},
  name_of<outcome_status>{outcome_status::expired, "expired"},
  name_of<outcome_status>{outcome_status::skipped, "skipped"},
  name_of<outcome_status>{outcome_status::retry, "retry"},
};

constexpr std::array breaker_kinds{
  name_of<breaker_kind>{breaker_kind::outage, "outage"},
  name_of<breaker_kind>{breaker_kind::configuration, "configuration"},
  name_of<breaker_kind>{breaker_kind::token_storm, "token_storm"},
  name_of<breaker_kind>{breaker_kind::connection, "connection"},
};

constexpr std::array connection_faults{
  name_of<connection_fault>{connection_fault::resolve, "resolve"},
  name_of<connection_fault>{connection_fault::connect, "connect"},
  name_of<connection_fault>{connection_fault::proxy, "proxy"},
  name_of<connection_fault>{connection_fault::tls, "tls"},
  name_of<connection_fault>{connection_fault::alpn, "alpn"},
  name_of<connection_fault>{connection_fault::timeout, "timeout"},
  name_of<connection_fault>{connection_fault::silence, "silence"},
  name_of<connection_fault>{connection_fault::closed, "closed"},
  name_of<connection_fault>{connection_fault::goaway, "goaway"},
  name_of<connection_fault>{connection_fault::protocol, "protocol"},
};

constexpr std::array breaker_states{
  name_of<breaker_state>{breaker_state::closed, "closed"},
  name_of<breaker_state>{breaker_state::open, "open"},
  name_of<breaker_state>{breaker_state::probing, "probing"},
  name_of<breaker_state>{breaker_state::ramping, "ramping"},
};

constexpr std::array activity_actions{
  name_of<activity_action>{activity_action::start, "start"},
  name_of<activity_action>{activity_action::update, "update"},
  name_of<activity_action>{activity_action::end, "end"},
};

constexpr std::array activity_statuses{
  name_of<activity_status>{activity_status::active, "ACTIVE"},
  name_of<activity_status>{activity_status::closed, "CLOSED"},
  name_of<activity_status>{activity_status::failed, "FAILED"},
  name_of<activity_status>{activity_status::expired, "EXPIRED"},
};

constexpr std::array token_kinds{
  name_of<token_kind>{token_kind::push, "push"},
  name_of<token_kind>{token_kind::start, "start"},
  name_of<token_kind>{token_kind::update, "update"},
  name_of<token_kind>{token_kind::channel, "channel"},
};

constexpr std::array activity_replies{
  name_of<activity_reply>{activity_reply::started, "started"},
  name_of<activity_reply>{activity_reply::already_started, "already_started"},
  name_of<activity_reply>{activity_reply::updated, "updated"},
  name_of<activity_reply>{activity_reply::ended, "ended"},
  name_of<activity_reply>{activity_reply::closed, "closed"},
};

constexpr std::array error_codes{
  name_of<errc>{errc::ok, "ok"},
  name_of<errc>{errc::not_found, "not_found"},
  name_of<errc>{errc::conflict, "conflict"},
  name_of<errc>{errc::invalid, "invalid"},
  name_of<errc>{errc::busy, "busy"},
  name_of<errc>{errc::unavailable, "unavailable"},
  name_of<errc>{errc::disk_full, "disk_full"},
  name_of<errc>{errc::stopping, "stopping"},
  name_of<errc>{errc::internal, "internal"},
};

template <class Table, class T>
std::string_view name_in(const Table& table, T value) {
  for (const auto& [candidate, name] : table)
    if (candidate == value)
      return name;
  return "?";
}

template <class T, class Table>
std::optional<T> value_in(const Table& table, std::string_view text) {
  for (const auto& [value, name] : table)
    if (name == text)
      return value;
  return std::nullopt;
}

} // namespace

std::string_view to_string(platform value) {
  return name_in(platforms, value);
}

std::string_view to_string(environment value) {
  return name_in(environments, value);
}

std::string_view to_string(job_status value) {
  return name_in(job_statuses, value);
}

std::string_view to_string(outcome_status value) {
  return name_in(outcome_statuses, value);
}

std::string_view to_string(breaker_kind value) {
  return name_in(breaker_kinds, value);
}

std::string_view to_string(connection_fault value) {
  return name_in(connection_faults, value);
}

std::string_view to_string(breaker_state value) {
  return name_in(breaker_states, value);
}

std::string_view to_string(activity_action value) {
  return name_in(activity_actions, value);
}

std::string_view to_string(activity_status value) {
  return name_in(activity_statuses, value);
}

std::string_view to_string(token_kind value) {
  return name_in(token_kinds, value);
}

std::string_view to_string(activity_reply value) {
  return name_in(activity_replies, value);
}

std::string_view to_string(errc value) {
  return name_in(error_codes, value);
}

std::optional<platform> parse_platform(std::string_view text) {
  return value_in<platform>(platforms, text);
}

std::optional<environment> parse_environment(std::string_view text) {
  return value_in<environment>(environments, text);
}

std::optional<breaker_kind> parse_breaker_kind(std::string_view text) {
  return value_in<breaker_kind>(breaker_kinds, text);
}

std::optional<job_status> parse_job_status(std::string_view text) {
  return value_in<job_status>(job_statuses, text);
}

} // namespace signalbox
