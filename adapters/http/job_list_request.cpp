#include "adapters/http/job_list_request.hpp"

#include "adapters/http/identifiers.hpp"
#include "adapters/http/rfc3339.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace signalbox::http {

namespace {

constexpr std::chrono::seconds longest = std::chrono::days{365};

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc{} || number < 1 || number > longest.count())
    return std::nullopt;
  const std::string_view unit{end, static_cast<std::size_t>(text.data() + text.size() - end)};
  for (const auto& [name, length] :
       {std::pair<std::string_view, std::chrono::seconds>{"", std::chrono::seconds{1}},
        {"s", std::chrono::seconds{1}},
        {"m", std::chrono::minutes{1}},
        {"h", std::chrono::hours{1}},
        {"d", std::chrono::days{1}}})
    if (unit == name && number * length <= longest)
      return number * length;
  return std::nullopt;
}

} // namespace

job_query read_job_query(const query_reader& query, timestamp now,
                         std::vector<field_error>& errors) {
  job_query out;
  if (auto text = query.get("status")) {
    out.status = parse_job_status(*text);
    if (!out.status)
      errors.push_back({"status", "is not the status of a job, such as COMPLETED"});
  }
  auto take = [&](const char* name, std::string& into,
                  std::optional<std::string> (*check)(std::string_view)) {
    auto text = query.get(name);
    if (!text)
      return;
    into = *text;
    if (auto detail = check(*text))
      errors.push_back({name, std::move(*detail)});
  };
  // A lane may be gone from the settings while its jobs are still there.
  take("lane", out.lane, check_identifier);
  take("topic", out.name, check_identifier);
  take("reference", out.reference, check_reference);
  if (auto text = query.get("since")) {
    out.since = parse_rfc3339(*text);
    if (!out.since)
      errors.push_back({"since", "must be an RFC 3339 time such as 2026-01-31T12:00:00Z, its + "
                                 "written as %2B"});
  }
  if (auto text = query.get("stale")) {
    if (auto length = parse_duration(*text))
      out.due_before = now - *length;
    else
      errors.push_back({"stale", "must be whole seconds, or a number with s, m, h or d, such as "
                                 "10m, up to 365 days"});
  }
  return out;
}

} // namespace signalbox::http
