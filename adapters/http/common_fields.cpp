#include "adapters/http/common_fields.hpp"

#include "adapters/http/identifiers.hpp"
#include "adapters/http/rfc3339.hpp"
#include "adapters/http/whole_number.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace signalbox::http {

namespace {

constexpr std::size_t max_collapse_id = 64;
constexpr std::int64_t max_ttl_s = 28 * 24 * 3600;
constexpr std::int64_t last_second_of_9999 = 253'402'300'799;

// A peer resets a request with any other header field; that looks like an outage, so one job would
// stop the whole lane.
bool can_be_a_header_value(std::string_view text) {
  return text.front() != ' ' && text.back() != ' ' &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::optional<std::string> read_checked(json_value value, const json_place& place, json_reader& in,
                                        std::optional<std::string> (*check)(std::string_view)) {
  auto text = in.text(value, place);
  if (!text)
    return std::nullopt;
  if (auto detail = check(*text)) {
    in.error(place, *detail);
    return std::nullopt;
  }
  return std::string{*text};
}

} // namespace

std::optional<std::string> read_identifier(json_value value, const json_place& place,
                                           json_reader& in) {
  return read_checked(value, place, in, check_identifier);
}

std::optional<std::string> read_reference(json_value value, const json_place& place,
                                          json_reader& in) {
  return read_checked(value, place, in, check_reference);
}

std::optional<std::chrono::seconds> read_ttl(json_value value, const json_place& place,
                                             json_reader& in) {
  auto seconds = in.integer(value, place, 0, max_ttl_s);
  if (!seconds)
    return std::nullopt;
  return std::chrono::seconds{*seconds};
}

std::optional<receipts_policy> read_receipts(json_value value, const json_place& place,
                                             json_reader& in) {
  auto choice = in.choice(value, place, {"failures", "all", "none"});
  if (!choice)
    return std::nullopt;
  return std::array{receipts_policy::failures, receipts_policy::all,
                    receipts_policy::none}[*choice];
}

std::optional<unknown_policy> read_on_unknown(json_value value, const json_place& place,
                                              json_reader& in) {
  auto choice = in.choice(value, place, {"resend", "give_up"});
  if (!choice)
    return std::nullopt;
  return std::array{unknown_policy::resend, unknown_policy::give_up}[*choice];
}

std::optional<std::string_view> read_collapse_id(json_value value, const json_place& place,
                                                 json_reader& in) {
  auto text = in.text(value, place);
  if (text && (text->empty() || text->size() > max_collapse_id)) {
    in.error(place, "must have 1 to 64 bytes");
    return std::nullopt;
  }
  if (text && !can_be_a_header_value(*text)) {
    in.error(place, "must not contain control characters, nor begin or end with a space");
    return std::nullopt;
  }
  return text;
}

std::optional<timestamp> read_time_or_epoch(json_value value, const json_place& place,
                                            json_reader& in) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    if (auto time = parse_rfc3339(text))
      return time;
  } else if (const auto seconds = whole_number(value);
             seconds && *seconds >= 0 && *seconds <= last_second_of_9999) {
    return timestamp{std::chrono::seconds{*seconds}};
  }
  in.error(place, "must be an RFC 3339 time such as 2026-01-31T12:00:00Z, or whole seconds since "
                  "1970");
  return std::nullopt;
}

std::optional<std::string> read_plain_object(json_value value, const json_place& place,
                                             json_reader& in) {
  if (!in.object(value, place))
    return std::nullopt;
  in.unique_members(value, place);
  return in.source(place);
}

} // namespace signalbox::http
