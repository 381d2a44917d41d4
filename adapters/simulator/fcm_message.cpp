#include "adapters/simulator/fcm_message.hpp"

#include "adapters/payload/json_text.hpp"
#include "adapters/simulator/text_hash.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>

namespace signalbox::sim {

namespace dom = simdjson::dom;

static_assert(body_padding >= simdjson::SIMDJSON_PADDING);

namespace {

enum class value_kind { text, texts, data, object, flag, number, list, priority, duration };

struct field_rule {
  std::string_view name;
  value_kind kind;
  std::span<const field_rule> members = {}; ///< of an object; empty: not looked into
};

using enum value_kind;

constexpr std::array notification_rules{field_rule{"title", text}, field_rule{"body", text},
                                        field_rule{"image", text}};

constexpr std::array android_notification_rules{
  field_rule{"title", text},
  field_rule{"body", text},
  field_rule{"icon", text},
  field_rule{"color", text},
  field_rule{"sound", text},
  field_rule{"tag", text},
  field_rule{"click_action", text},
  field_rule{"body_loc_key", text},
  field_rule{"body_loc_args", list},
  field_rule{"title_loc_key", text},
  field_rule{"title_loc_args", list},
  field_rule{"channel_id", text},
  field_rule{"ticker", text},
  field_rule{"sticky", flag},
  field_rule{"event_time", text},
  field_rule{"local_only", flag},
  field_rule{"notification_priority", text},
  field_rule{"default_sound", flag},
  field_rule{"default_vibrate_timings", flag},
  field_rule{"default_light_settings", flag},
  field_rule{"vibrate_timings", list},
  field_rule{"visibility", text},
  field_rule{"notification_count", number},
  field_rule{"light_settings", object},
  field_rule{"image", text},
  field_rule{"proxy", text},
  field_rule{"bypass_proxy_notification", flag},
};

constexpr std::array android_rules{
  field_rule{"collapse_key", text},
  field_rule{"priority", priority},
  field_rule{"ttl", duration},
  field_rule{"restricted_package_name", text},
  field_rule{"data", data},
  field_rule{"notification", object, android_notification_rules},
  field_rule{"fcm_options", object},
  field_rule{"direct_boot_ok", flag},
  field_rule{"bandwidth_constrained_ok", flag},
  field_rule{"restricted_satellite_ok", flag},
};

constexpr std::array apns_rules{
  field_rule{"headers", texts},
  field_rule{"payload", object},
  field_rule{"fcm_options", object},
  field_rule{"live_activity_token", text},
};

constexpr std::array message_rules{
  field_rule{"name", text},
  field_rule{"data", data},
  field_rule{"notification", object, notification_rules},
  field_rule{"android", object, android_rules},
  field_rule{"webpush", object},
  field_rule{"apns", object, apns_rules},
  field_rule{"fcm_options", object},
  field_rule{"token", text},
  field_rule{"topic", text},
  field_rule{"condition", text},
};

constexpr std::array body_rules{
  field_rule{"message", object, message_rules},
  field_rule{"validate_only", flag},
};

constexpr std::string_view bad_token_text =
  "The registration token is not a valid FCM registration token";
constexpr std::int64_t longest_ttl_s = 28 * 24 * 60 * 60;
constexpr std::size_t shortest_token = 8;

// Protocol buffers' JSON form takes both spellings.
std::string snake_case(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') {
      out += '_';
      out += static_cast<char>(c + ('a' - 'A'));
    } else {
      out += c;
    }
  }
  return out;
}

fcm_error invalid(std::string field, std::string message) {
  return {400, {}, {}, std::move(message), std::move(field)};
}

fcm_error wrong_type(const std::string& path, std::string_view type) {
  return invalid(path, "Invalid value at '" + path + "' (" + std::string{type} + ")");
}

bool is_reserved(std::string_view key) {
  return key == "from" || key == "message_type" || key.starts_with("google") ||
         key.starts_with("gcm");
}

fcm_error check_texts(dom::element value, const std::string& path, bool is_data) {
  dom::object members;
  if (value.get(members) != simdjson::SUCCESS)
    return wrong_type(path, "TYPE_MAP");
  std::size_t index = 0;
  for (const auto& [key, inner] : members) {
    const auto place = path + "[" + std::to_string(index++) + "]";
    if (!inner.is_string())
      return wrong_type(place + ".value", "TYPE_STRING");
    if (is_data && is_reserved(key))
      return {400, "INVALID_ARGUMENT", {}, "Invalid data payload key: " + std::string{key}, place};
  }
  return {};
}

// google.protobuf.Duration as JSON: "3.5s", up to nine digits behind the point.
fcm_error check_duration(dom::element value, const std::string& path) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS)
    return wrong_type(path, "type.googleapis.com/google.protobuf.Duration");
  std::int64_t seconds = -1;
  const auto* end = text.data() + text.size();
  auto [at, failed] = std::from_chars(text.data(), end, seconds);
  if (failed == std::errc{} && at != end && *at == '.') {
    const auto* digits = ++at;
    while (at != end && *at >= '0' && *at <= '9')
      ++at;
    if (at == digits || at - digits > 9)
      at = end;
  }
  if (failed != std::errc{} || at + 1 != end || *at != 's')
    return invalid(path, "Invalid value at '" + path +
                           "' (type.googleapis.com/google.protobuf.Duration), Field '" + path +
                           "', Illegal duration format; duration must end with 's'");
  if (seconds < 0 || seconds > longest_ttl_s)
    return {400, "INVALID_ARGUMENT", {}, "Invalid time-to-live: must be 0 to 2419200 s", path};
  return {};
}

fcm_error check_members(dom::element value, const std::string& path,
                        std::span<const field_rule> rules);

fcm_error check_value(dom::element value, const std::string& path, const field_rule& rule) {
  switch (rule.kind) {
  case text:
    return value.is_string() ? fcm_error{} : wrong_type(path, "TYPE_STRING");
  case flag:
    return value.is_bool() ? fcm_error{} : wrong_type(path, "TYPE_BOOL");
  case number:
    return value.is_int64() ? fcm_error{} : wrong_type(path, "TYPE_INT32");
  case list:
    return value.is_array() ? fcm_error{} : wrong_type(path, "TYPE_LIST");
  case texts:
  case data:
    return check_texts(value, path, rule.kind == data);
  case duration:
    return check_duration(value, path);
  case priority: {
    std::string_view word;
    const bool known = value.get(word) == simdjson::SUCCESS &&
                       (word == "HIGH" || word == "NORMAL" || word == "high" || word == "normal");
    return known ? fcm_error{} : wrong_type(path, "AndroidMessagePriority");
  }
  case object:
    break;
  }
  return check_members(value, path, rule.members);
}

fcm_error check_members(dom::element value, const std::string& path,
                        std::span<const field_rule> rules) {
  dom::object members;
  if (value.get(members) != simdjson::SUCCESS)
    return wrong_type(path, "TYPE_MESSAGE");
  if (rules.empty())
    return {};
  for (const auto& [key, inner] : members) {
    const auto name = snake_case(key);
    const auto rule = std::find_if(rules.begin(), rules.end(),
                                   [&](const field_rule& each) { return each.name == name; });
    if (rule == rules.end())
      return invalid(path.empty() ? std::string{key} : path,
                     "Invalid JSON payload received. Unknown name \"" + std::string{key} +
                       "\" at '" + path + "': Cannot find field.");
    const auto place = path.empty() ? name : path + "." + name;
    if (auto error = check_value(inner, place, *rule))
      return error;
  }
  return {};
}

bool is_token(std::string_view token) {
  unsigned ok = token.size() >= shortest_token ? 1 : 0;
  for (const char c : token) {
    const auto lower = static_cast<unsigned char>(c | 0x20);
    ok &= static_cast<unsigned>(static_cast<unsigned char>(c - '0') <= 9) |
          static_cast<unsigned>(static_cast<unsigned char>(lower - 'a') <= 25) |
          static_cast<unsigned>(c == '_') | static_cast<unsigned>(c == '-') |
          static_cast<unsigned>(c == ':');
  }
  return ok != 0;
}

// Firebase, "FCM error codes": a malformed token has an FcmError detail.
fcm_error bad_token() {
  return {400, "INVALID_ARGUMENT", {}, std::string{bad_token_text}, "message.token"};
}

std::size_t size_of(dom::element message, const char* name) {
  dom::element part;
  return message[name].get(part) == simdjson::SUCCESS ? simdjson::minify(part).size() : 0;
}

} // namespace

struct fcm_message_reader::parser {
  dom::parser dom;
  dom::parser payload;
};

fcm_message_reader::fcm_message_reader(std::string marker_key, std::string order_key)
  : marker_key_{std::move(marker_key)},
    order_key_{std::move(order_key)}, parser_{std::make_unique<parser>()} {}

fcm_message_reader::~fcm_message_reader() = default;

const fcm_message& fcm_message_reader::read(std::string_view body) {
  if (!is_like_the_last(body))
    parse(body);
  return latest_;
}

bool fcm_message_reader::is_like_the_last(std::string_view body) {
  const auto around = before_token_.size() + after_token_.size();
  if (before_token_.empty() || body.size() < around || !body.starts_with(before_token_) ||
      !body.ends_with(after_token_))
    return false;
  const auto token = body.substr(before_token_.size(), body.size() - around);
  if (!is_token(token))
    return false;
  latest_.token = token;
  return true;
}

void fcm_message_reader::parse(std::string_view body) {
  latest_ = {};
  before_token_.clear();
  constexpr bool copy = false;
  dom::element root;
  auto code = parser_->dom.parse(body.data(), body.size(), copy).get(root);
  if (code == simdjson::NUMBER_ERROR)
    code = parser_->dom.parse(with_tame_numbers(body)).get(root);
  if (code != simdjson::SUCCESS || !root.is_object()) {
    latest_.error = invalid({}, "Invalid JSON payload received.");
    return;
  }
  dom::element message;
  if (root["message"].get(message) != simdjson::SUCCESS || !message.is_object()) {
    latest_.error = check_members(root, {}, body_rules);
    if (!latest_.error)
      latest_.error = invalid("message", "The message is not set.");
    return;
  }
  std::string_view token;
  if (message["token"].get(token) == simdjson::SUCCESS)
    latest_.token = token;
  if (root["validate_only"].get(latest_.validate_only) != simdjson::SUCCESS)
    latest_.validate_only = root["validateOnly"].is_bool() && bool(root["validateOnly"]);
  std::string_view marker;
  if (!marker_key_.empty() && message["data"][marker_key_].get(marker) == simdjson::SUCCESS)
    latest_.marker = text_hash(marker);
  std::string_view type;
  latest_.is_live_activity =
    message["data"]["type"].get(type) == simdjson::SUCCESS && type == "live_activity";
  if (latest_.is_live_activity) {
    std::string_view text;
    if (message["data"]["activity_id"].get(text) == simdjson::SUCCESS)
      latest_.activity = text_hash(text);
    if (message["data"]["payload"].get(text) == simdjson::SUCCESS)
      read_activity(text);
  }
  latest_.error = check_members(root, {}, body_rules);
  if (latest_.error)
    return;
  int targets = 0;
  for (const auto* name : {"token", "topic", "condition"})
    targets += message[name].error() == simdjson::SUCCESS ? 1 : 0;
  if (targets != 1)
    latest_.error = invalid("message", targets == 0 ? "Recipient of the message is not set."
                                                    : "Only one recipient can be set.");
  else if (message["token"].error() == simdjson::SUCCESS && !is_token(token))
    latest_.error = bad_token();
  else if (size_of(message, "notification") + size_of(message, "data") > fcm_payload_limit)
    latest_.error = {400, "INVALID_ARGUMENT", {}, "Android message is too big", {}};
  else if (!token.empty())
    remember(body);
}

void fcm_message_reader::read_activity(std::string_view payload) {
  double order = 0;
  if (parser_->payload.parse(payload.data(), payload.size())[order_key_].get(order) ==
      simdjson::SUCCESS)
    latest_.order = order;
}

// A token without escapes stands in the body as it is; where its text comes twice, it is not known
// which one it is.
void fcm_message_reader::remember(std::string_view body) {
  const auto at = body.find(latest_.token);
  if (at == body.npos || body.find(latest_.token, at + 1) != body.npos)
    return;
  before_token_ = body.substr(0, at);
  after_token_ = body.substr(at + latest_.token.size());
}

} // namespace signalbox::sim
