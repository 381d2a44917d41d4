#include "adapters/http/token_body.hpp"

#include "adapters/http/common_fields.hpp"
#include "adapters/http/identifiers.hpp"

#include <array>
#include <span>
#include <utility>

namespace signalbox::http {

namespace {

constexpr std::size_t max_batch = 10'000;
constexpr std::size_t max_topics = 1'000;

using name_span = std::span<const std::string_view>;

// Each list of names begins with those that a token has wherever it is given.
enum member : std::size_t { platform_name, token_text, environment_name, first_other };

constexpr std::array<std::string_view, 5> push_names{"platform", "token", "environment", "id",
                                                     "topics"};
constexpr std::size_t user_id = first_other;

constexpr std::array<std::string_view, 8> activity_names{
  "platform", "token", "environment", "userId", "topicId", "activityId", "tokenType", "expiresAt"};

enum activity_member : std::size_t {
  activity_user = first_other,
  activity_topic,
  activity_id,
  token_type,
  expires_at,
};

/// Reads the members that a token has wherever it is given, and leaves the others to `more`.
template <class More>
std::optional<inline_token> read_token(json_value value, const json_place& place, json_reader& in,
                                       name_span names, More more) {
  auto object = in.object(value, place);
  if (!object)
    return std::nullopt;
  inline_token out;
  bool good = true;
  bool has_platform = false;
  bool has_environment = false;
  std::optional<std::string_view> token;
  auto fail = [&](const json_place& where, std::string detail) {
    in.error(where, std::move(detail));
    good = false;
  };
  in.members(*object, place, names, [&](std::size_t which, json_value inner, json_place here) {
    switch (which) {
    case platform_name:
      if (auto choice = in.choice(inner, here, {"apns", "fcm"})) {
        out.provider = *choice == 0 ? platform::apns : platform::fcm;
        has_platform = true;
      } else {
        good = false;
      }
      break;
    case token_text:
      token = in.text(inner, here);
      good = good && token;
      break;
    case environment_name:
      if (auto choice = in.choice(inner, here, {"production", "sandbox"}))
        out.env = *choice == 0 ? environment::production : environment::sandbox;
      else
        good = false;
      has_environment = true;
      break;
    default:
      good = more(which, inner, here) && good;
    }
  });
  if (!good)
    return std::nullopt;
  if (!has_platform)
    fail(place.member("platform"), "is needed");
  if (!token)
    fail(place.member("token"), "is needed");
  if (!good)
    return std::nullopt;
  if (out.provider == platform::fcm && has_environment && out.env == environment::sandbox)
    fail(place.member("environment"), "of an FCM token can only be production");
  if (auto detail = check_token(out.provider, *token))
    fail(place.member("token"), *detail);
  if (!good)
    return std::nullopt;
  out.token = canonical_token(out.provider, *token);
  return out;
}

bool take_identifier(json_value value, const json_place& place, json_reader& in, std::string& out) {
  auto id = read_identifier(value, place, in);
  if (id)
    out = std::move(*id);
  return id.has_value();
}

} // namespace

std::optional<inline_token> read_inline_token(json_value value, const json_place& place,
                                              json_reader& in) {
  return read_token(value, place, in, name_span{push_names}.first(first_other),
                    [](auto...) { return false; });
}

std::optional<token_registration> read_registration(json_value value, const json_place& place,
                                                    json_reader& in, registration_form form) {
  token_registration out;
  auto more = [&](std::size_t which, json_value inner, const json_place& here) {
    if (which == user_id)
      return take_identifier(inner, here, in, out.user);
    auto list = in.list(inner, here, max_topics);
    if (!list)
      return false;
    std::size_t i = 0;
    for (auto one : *list)
      if (!take_identifier(one, here.element(i++), in, out.topics.emplace_back()))
        return false;
    return true;
  };
  auto known = form == registration_form::with_topics ? push_names.size() : push_names.size() - 1;
  auto token = read_token(value, place, in, name_span{push_names}.first(known), more);
  if (!token)
    return std::nullopt;
  out.provider = token->provider;
  out.env = token->env;
  out.token = std::move(token->token);
  return out;
}

std::optional<activity_token_registration> read_activity_registration(json_value value,
                                                                      const json_place& place,
                                                                      timestamp now,
                                                                      json_reader& in) {
  activity_token_registration out;
  std::optional<token_kind> kind;
  bool has_user = false;
  auto more = [&](std::size_t which, json_value inner, const json_place& here) {
    switch (which) {
    case activity_user:
      has_user = true;
      return take_identifier(inner, here, in, out.user);
    case activity_topic:
      return take_identifier(inner, here, in, out.topic);
    case activity_id:
      return take_identifier(inner, here, in, out.activity);
    case token_type:
      if (auto choice = in.choice(inner, here, {"start", "update"}))
        kind = *choice == 0 ? token_kind::start : token_kind::update;
      return kind.has_value();
    default:
      out.expires_at = read_time_or_epoch(inner, here, in);
      if (out.expires_at && *out.expires_at <= now) {
        in.error(here, "must be in the future");
        return false;
      }
      return out.expires_at.has_value();
    }
  };
  auto token = read_token(value, place, in, activity_names, more);
  if (!token)
    return std::nullopt;
  if (!has_user)
    in.error(place.member("userId"), "is needed");
  if (!kind)
    in.error(place.member("tokenType"), "is needed");
  else if (token->provider == platform::fcm && *kind == token_kind::start)
    in.error(place.member("tokenType"), "of an FCM token can only be update");
  out.provider = token->provider;
  out.env = token->env;
  out.token = std::move(token->token);
  out.kind = kind.value_or(token_kind::update);
  return out;
}

std::optional<activity_token_name>
read_activity_token_name(json_value value, const json_place& place, json_reader& in) {
  auto object = in.object(value, place);
  if (!object)
    return std::nullopt;
  activity_token_name out;
  std::array<bool, 2> given{};
  constexpr std::array<std::string_view, 2> names{"userId", "token"};
  in.members(*object, place, names, [&](std::size_t which, json_value inner, json_place here) {
    given[which] = true;
    if (which == 0) {
      take_identifier(inner, here, in, out.user);
    } else if (auto text = in.text(inner, here)) {
      if (auto detail = check_token(platform::fcm, *text))
        in.error(here, *detail);
      out.token = canonical_token(*text);
    }
  });
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!given[i])
      in.error(place.member(names[i]), "is needed");
  return out;
}

token_batch read_token_batch(std::string_view text, std::vector<field_error>& errors) {
  token_batch out;
  json_reader in{errors};
  bool has_tokens = false;
  auto take = [&](std::size_t, json_value value, const json_place& place) {
    has_tokens = true;
    auto list = in.list(value, place, max_batch);
    if (!list)
      return;
    std::size_t i = 0;
    for (auto one : *list) {
      field_errors wrong;
      json_reader entry{wrong};
      auto read = read_registration(one, place.element(i++), entry, registration_form::with_topics);
      if (read && wrong.empty())
        out.tokens.push_back(std::move(*read));
      else
        out.refusals.add(0, wrong.front());
    }
  };
  const bool is_object = in.body(text, std::array<std::string_view, 1>{"tokens"}, take);
  if (is_object && !has_tokens)
    in.error(json_place{}.member("tokens"), "is needed");
  return out;
}

} // namespace signalbox::http
