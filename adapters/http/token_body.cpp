#include "adapters/http/token_body.hpp"

#include "adapters/http/identifiers.hpp"

#include <array>
#include <span>
#include <utility>

namespace signalbox::http {

namespace {

constexpr std::size_t max_batch = 10'000;
constexpr std::size_t max_topics = 1'000;

constexpr std::array<std::string_view, 5> names{"platform", "token", "environment", "id", "topics"};

enum member : std::size_t { platform_name, token_text, environment_name, user_id, topic_ids };

/// Reads the members that a token has wherever it is given, and leaves the others to `more`.
template <class More>
std::optional<inline_token> read_token(json_value value, const json_place& place, json_reader& in,
                                       std::size_t known_names, More more) {
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
  std::span<const std::string_view> known{names.data(), known_names};
  in.members(*object, place, known, [&](std::size_t which, json_value inner, json_place here) {
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

bool read_identifier(json_value value, const json_place& place, json_reader& in, std::string& out) {
  auto text = in.text(value, place);
  if (!text)
    return false;
  if (auto detail = check_identifier(*text)) {
    in.error(place, *detail);
    return false;
  }
  out = *text;
  return true;
}

} // namespace

std::optional<inline_token> read_inline_token(json_value value, const json_place& place,
                                              json_reader& in) {
  return read_token(value, place, in, 3, [](auto...) { return false; });
}

std::optional<token_registration> read_registration(json_value value, const json_place& place,
                                                    json_reader& in, registration_form form) {
  token_registration out;
  auto more = [&](std::size_t which, json_value inner, const json_place& here) {
    if (which == user_id)
      return read_identifier(inner, here, in, out.user);
    auto list = in.list(inner, here, max_topics);
    if (!list)
      return false;
    std::size_t i = 0;
    for (auto one : *list)
      if (!read_identifier(one, here.element(i++), in, out.topics.emplace_back()))
        return false;
    return true;
  };
  auto known = form == registration_form::with_topics ? names.size() : names.size() - 1;
  auto token = read_token(value, place, in, known, more);
  if (!token)
    return std::nullopt;
  out.provider = token->provider;
  out.env = token->env;
  out.token = std::move(token->token);
  return out;
}

token_batch read_token_batch(std::string_view text, std::vector<field_error>& errors) {
  token_batch out;
  json_document document{text};
  if (!document.problem().empty()) {
    errors.push_back({"", document.problem()});
    return out;
  }
  json_reader in{errors};
  json_place root;
  auto object = in.object(document.root(), root);
  if (!object)
    return out;
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
        out.refusals.push_back(std::move(wrong.front()));
    }
  };
  in.members(*object, root, std::array<std::string_view, 1>{"tokens"}, take);
  if (!has_tokens)
    in.error(root.member("tokens"), "is needed");
  return out;
}

} // namespace signalbox::http
