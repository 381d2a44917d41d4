#include "adapters/http/activity_body.hpp"

#include "adapters/http/apns_field.hpp"
#include "adapters/http/common_fields.hpp"
#include "adapters/http/json_writer.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace signalbox::http {

namespace {

constexpr std::size_t max_channel = 256;

enum member : std::size_t {
  action,
  activity,
  activity_type,
  user,
  topic,
  payload,
  options,
  expires_at,
  lane,
  reference,
};

constexpr std::array<std::string_view, 10> names{
  "action",  "activityId", "activityType", "userId", "topicId",
  "payload", "options",    "expiresAt",    "lane",   "reference"};

enum option : std::size_t {
  alert,
  attributes_type,
  attributes,
  priority,
  stale_date,
  dismissal_date,
  relevance_score,
  collapse_id,
  ttl,
  input_push_token,
  input_push_channel,
  channel_environment,
  receipts,
  on_unknown,
  apns,
  fcm,
  expiration,
  own_timestamp,
};

constexpr std::array<std::string_view, 18> option_names{"alert",
                                                        "attributesType",
                                                        "attributes",
                                                        "priority",
                                                        "staleDate",
                                                        "dismissalDate",
                                                        "relevanceScore",
                                                        "collapseId",
                                                        "ttl",
                                                        "inputPushToken",
                                                        "inputPushChannel",
                                                        "inputPushChannelEnvironment",
                                                        "receipts",
                                                        "onUnknown",
                                                        "apns",
                                                        "fcm",
                                                        "expiration",
                                                        "timestamp"};

/// As new_job::activity calls them; empty: no member of the payload.
constexpr std::array<std::string_view, 18> payload_names{"alert",
                                                         "attributes_type",
                                                         "attributes",
                                                         "priority",
                                                         "stale_date",
                                                         "dismissal_date",
                                                         "relevance_score",
                                                         "collapse_id",
                                                         "",
                                                         "input_push_token",
                                                         "input_push_channel",
                                                         "",
                                                         "",
                                                         "",
                                                         "apns",
                                                         "fcm",
                                                         "expiration",
                                                         ""};

bool is_base64(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '-' || c == '_' || c == '=';
  });
}

class activity_reader {
public:
  activity_reader(activity_body& out, field_errors& errors, std::string_view text, timestamp now)
    : out_(out), in_(errors, text), now_(now) {}

  void read(json_object_view from) {
    in_.members(from, root_, names, [this](std::size_t which, json_value value, json_place place) {
      given_.set(which);
      read_member(which, value, place);
    });
    if (!given_[action])
      in_.error(root_.member(names[action]), "is needed");
    if (action_)
      check_whole();
  }

private:
  bool starts() const { return action_ == activity_action::start; }

  void read_member(std::size_t which, json_value value, const json_place& place) {
    switch (which) {
    case action:
      if (auto choice = in_.choice(value, place, {"start", "update", "end"}))
        action_ = std::array{activity_action::start, activity_action::update,
                             activity_action::end}[*choice];
      break;
    case activity:
      out_.request.activity = read_identifier(value, place, in_).value_or("");
      break;
    case activity_type:
      out_.request.type = read_identifier(value, place, in_).value_or("");
      break;
    case user:
    case topic:
      if (auto id = read_identifier(value, place, in_))
        out_.scope.name = std::move(*id);
      out_.scope.kind = which == user ? scope_kind::user : scope_kind::topic;
      break;
    case payload:
      out_.request.content_state = read_plain_object(value, place, in_).value_or("");
      break;
    case options:
      if (auto object = in_.object(value, place))
        in_.members(*object, place, option_names,
                    [this](std::size_t one, json_value inner, json_place here) {
                      given_options_.set(one);
                      read_option(one, inner, here);
                    });
      else
        given_options_.set(); // what is wrong has been said
      break;
    case expires_at:
      out_.options.expires_at = read_time_or_epoch(value, place, in_);
      break;
    case lane:
      if (auto name = in_.text(value, place))
        out_.lane = *name;
      break;
    default: // reference
      out_.reference = read_reference(value, place, in_).value_or("");
    }
  }

  void read_option(std::size_t which, json_value value, const json_place& place) {
    auto& member = members_[which];
    switch (which) {
    case alert:
      read_alert(value, place);
      break;
    case attributes_type:
      if (read_identifier(value, place, in_))
        member = in_.source(place);
      break;
    case priority:
      if (in_.choice(value, place, {"high", "normal"}))
        member = in_.source(place);
      break;
    case stale_date:
    case dismissal_date:
      if (auto seconds = read_seconds(value, place))
        member = std::to_string(*seconds);
      break;
    case relevance_score:
      if (value.is_number())
        member = in_.source(place);
      else
        in_.error(place, "must be a number");
      break;
    case collapse_id:
      if (read_collapse_id(value, place, in_))
        member = in_.source(place);
      break;
    case ttl:
      out_.options.ttl = read_ttl(value, place, in_);
      break;
    case input_push_token:
      if (in_.boolean(value, place).value_or(false))
        member = "true";
      break;
    case input_push_channel:
      read_channel(value, place);
      break;
    case channel_environment:
      if (auto choice = in_.choice(value, place, {"production", "sandbox"}))
        out_.request.channel_env =
          std::array{environment::production, environment::sandbox}[*choice];
      break;
    case receipts:
      if (auto policy = read_receipts(value, place, in_))
        out_.options.receipts = *policy;
      break;
    case on_unknown:
      on_unknown_ = read_on_unknown(value, place, in_);
      break;
    case apns:
      if (auto object = read_apns(value, place, now_, true, in_))
        member = std::move(object->json);
      break;
    case expiration:
      read_expiration(value, place);
      break;
    case own_timestamp:
      out_.request.timestamp_s = read_seconds(value, place);
      break;
    default: // attributes, fcm
      member = read_plain_object(value, place, in_).value_or("");
    }
  }

  std::optional<std::int64_t> read_seconds(json_value value, const json_place& place) {
    const auto time = read_time_or_epoch(value, place, in_);
    if (!time)
      return std::nullopt;
    return std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count();
  }

  void read_expiration(json_value value, const json_place& place) {
    const auto seconds = read_seconds(value, place);
    if (!seconds)
      return;
    if (*seconds != 0 && timestamp{std::chrono::seconds{*seconds}} <= now_)
      in_.error(place, "must be in the future, or 0");
    members_[expiration] = std::to_string(*seconds);
  }

  void read_alert(json_value value, const json_place& place) {
    constexpr std::array<std::string_view, 3> known{"title", "body", "sound"};
    auto object = in_.object(value, place);
    if (!object)
      return;
    json_writer text;
    bool has_text = false;
    in_.members(*object, place, known, [&](std::size_t which, json_value inner, json_place here) {
      has_text = has_text || which < 2;
      if (auto given = in_.text(inner, here))
        text.add(known[which], *given);
    });
    if (!has_text)
      in_.error(place, "needs a title or a body");
    members_[alert] = text.take();
  }

  void read_channel(json_value value, const json_place& place) {
    auto text = in_.text(value, place);
    if (!text)
      return;
    if (text->empty() || text->size() > max_channel || !is_base64(*text)) {
      in_.error(place, "must be the id of a broadcast channel, which is base64");
      return;
    }
    out_.request.channel = *text;
    members_[input_push_channel] = in_.source(place);
  }

  void check_whole() {
    out_.request.action = *action_;
    starts() ? check_start() : check_later();
    if (*action_ != activity_action::end && !given_[payload])
      in_.error(root_.member(names[payload]), "is needed");
    if (out_.options.expires_at && *out_.options.expires_at <= now_)
      in_.error(root_.member(names[expires_at]), "must be in the future");
    if (starts())
      out_.request.expires_at = std::exchange(out_.options.expires_at, std::nullopt);
    out_.options.on_unknown =
      on_unknown_.value_or(starts() ? unknown_policy::give_up : unknown_policy::resend);
    write_payload();
  }

  void check_start() {
    for (auto one : {activity, activity_type})
      if (!given_[one])
        in_.error(root_.member(names[one]), "of a start is needed");
    check_scope();
    const auto place = root_.member(names[options]);
    for (auto one : {alert, attributes_type, attributes})
      if (!given_options_[one])
        in_.error(place.member(option_names[one]), "of a start is needed");
    if (given_options_[input_push_channel] && !members_[input_push_token].empty())
      in_.error(place.member(option_names[input_push_channel]), "excludes inputPushToken");
    if (given_options_[channel_environment] && !given_options_[input_push_channel])
      in_.error(place.member(option_names[channel_environment]), "needs inputPushChannel");
  }

  /// An update or an end.
  void check_later() {
    if (given_[activity]) {
      // The id says all.
      out_.request.type.clear();
      out_.scope = {scope_kind::activity, {}, {}, {}};
    } else if (!given_[activity_type]) {
      in_.error(root_.member(names[activity]),
                "is needed, or activityType with one of userId and topicId");
    } else {
      check_scope();
    }
    // What only a start says.
    out_.request.channel.clear();
    out_.request.channel_env = environment::production;
    for (auto one : {attributes_type, attributes, input_push_token, input_push_channel})
      members_[one].clear();
  }

  void check_scope() {
    if (given_[user] && given_[topic])
      in_.error(root_.member(names[topic]), "excludes userId");
    else if (!given_[user] && !given_[topic])
      in_.error(root_.member(names[user]), "is needed, or topicId");
  }

  void write_payload() {
    json_writer text;
    for (std::size_t i = 0; i < members_.size(); ++i)
      if (!members_[i].empty())
        text.add_json(payload_names[i], members_[i]);
    out_.payload = text.take();
  }

  activity_body& out_;
  json_reader in_;
  const timestamp now_;
  json_place root_;
  std::optional<activity_action> action_;
  std::optional<unknown_policy> on_unknown_;
  std::bitset<names.size()> given_;
  std::bitset<option_names.size()> given_options_;
  std::array<std::string, payload_names.size()> members_; ///< JSON; empty: not in the payload
};

} // namespace

activity_body read_activity_body(std::string_view text, timestamp now,
                                 std::vector<field_error>& errors) {
  activity_body out;
  json_document document{text};
  if (!document.problem().empty()) {
    errors.push_back({"", document.problem()});
    return out;
  }
  json_reader in{errors};
  if (auto root = in.object(document.root(), {}))
    activity_reader{out, errors, text, now}.read(*root);
  return out;
}

} // namespace signalbox::http
