#include "adapters/http/push_body.hpp"

#include "adapters/http/common_fields.hpp"
#include "adapters/http/json_reader.hpp"
#include "adapters/http/token_body.hpp"

#include <array>
#include <limits>
#include <unordered_set>
#include <utility>

namespace signalbox::http {

namespace {

constexpr std::size_t max_targets = 10'000;

enum member : std::size_t {
  title,
  body,
  image_url,
  sound,
  badge,
  data,
  silent,
  collapse_id,
  priority,
  thread_id,
  category,
  apns,
  fcm,
  ttl,
  expires_at,
  scheduled_at,
  lane,
  reference,
  receipts,
  on_unknown,
  dry_run,
  tokens,
  users,
};

constexpr std::array<std::string_view, 23> names{
  "title",    "body",        "image_url",  "sound",        "badge",    "data",
  "silent",   "collapse_id", "priority",   "thread_id",    "category", "apns",
  "fcm",      "ttl",         "expires_at", "scheduled_at", "lane",     "reference",
  "receipts", "on_unknown",  "dry_run",    "tokens",       "users"};

class push_reader {
public:
  push_reader(push_body& out, field_errors& errors) : out_(out), errors_(errors), in_(errors) {}

  void read(json_object_view from, audience_source source, timestamp now) {
    source_ = source;
    out_.payload = '{';
    in_.members(from, root_, names, [this](std::size_t which, json_value value, json_place place) {
      which < ttl ? read_content(which, value, place) : read_option(which, value, place);
    });
    out_.payload += '}';
    check_whole(now);
  }

private:
  void read_content(std::size_t which, json_value value, const json_place& place) {
    switch (which) {
    case title:
    case body:
      read_text(which, value, place);
      has_content_ = true;
      break;
    case sound:
    case thread_id:
    case category:
      read_text(which, value, place);
      break;
    case image_url:
      if (auto text = read_text(which, value, place);
          text && text->substr(0, 8) != "https://" && text->substr(0, 7) != "http://")
        in_.error(place, "must be an http or https URL");
      break;
    case collapse_id:
      if (auto text = read_collapse_id(value, place, in_))
        append_json_string(key(which), *text);
      break;
    case badge:
      if (!value.is_null())
        if (auto number = in_.integer(value, place, 0, std::numeric_limits<std::int32_t>::max()))
          key(which) += std::to_string(*number);
      break;
    case silent:
      if (auto flag = in_.boolean(value, place)) {
        key(which) += *flag ? "true" : "false";
        has_content_ = has_content_ || *flag;
      }
      break;
    case priority:
      if (in_.choice(value, place, {"high", "normal", "low"}))
        read_text(which, value, place);
      break;
    case data:
      read_data(value, place);
      break;
    case apns:
      if (auto object = read_apns_overlay(value, place, in_))
        key(which) += *object;
      break;
    default: // fcm
      if (auto object = read_plain_object(value, place, in_))
        key(which) += *object;
    }
  }

  void read_option(std::size_t which, json_value value, const json_place& place) {
    switch (which) {
    case ttl:
      out_.options.ttl = read_ttl(value, place, in_);
      break;
    case expires_at:
      out_.options.expires_at = in_.time(value, place);
      break;
    case scheduled_at:
      out_.scheduled_at = in_.time(value, place);
      break;
    case lane:
      if (auto name = in_.text(value, place))
        out_.lane = *name;
      break;
    case reference:
      out_.reference = read_reference(value, place, in_).value_or("");
      break;
    case receipts:
      if (auto policy = read_receipts(value, place, in_))
        out_.options.receipts = *policy;
      break;
    case on_unknown:
      if (auto policy = read_on_unknown(value, place, in_))
        out_.options.on_unknown = *policy;
      break;
    case dry_run:
      if (auto flag = in_.boolean(value, place))
        out_.dry_run = *flag;
      break;
    default: // tokens, users
      if (source_ == audience_source::path)
        in_.error(place, "is not a known field of this route: its path names the target");
      else if (which == tokens)
        read_tokens(value, place);
      else
        read_users(value, place);
      ++audiences_;
    }
  }

  void read_data(json_value value, const json_place& place) {
    auto members = in_.object(value, place);
    if (!members)
      return;
    in_.unique_members(value, place);
    auto& out = key(data) += '{';
    bool first = true;
    for (auto [name, inner] : *members) {
      auto here = place.member(name);
      if (name == "aps")
        in_.error(here, "must not replace what is meant for the system; use the apns object");
      auto text = in_.text(inner, here);
      if (!text)
        continue;
      if (!std::exchange(first, false))
        out += ',';
      append_json_string(out, name);
      out += ':';
      append_json_string(out, *text);
    }
    out += '}';
  }

  void read_tokens(json_value value, const json_place& place) {
    auto list = in_.list(value, place, max_targets);
    if (!list)
      return;
    std::unordered_set<std::string> known;
    std::size_t i = 0;
    for (auto one : *list) {
      auto read = read_inline_token(one, place.element(i++), in_);
      if (read && known.insert(std::string{to_string(read->provider)} + read->token).second)
        out_.tokens.push_back(std::move(*read));
    }
  }

  void read_users(json_value value, const json_place& place) {
    auto list = in_.list(value, place, max_targets);
    if (!list)
      return;
    std::unordered_set<std::string> known;
    std::size_t i = 0;
    for (auto one : *list) {
      auto id = read_identifier(one, place.element(i++), in_);
      if (id && known.insert(*id).second)
        out_.users.push_back(std::move(*id));
    }
  }

  void check_whole(timestamp now) {
    if (!has_content_)
      in_.error(root_, "one of title, body or silent is needed");
    if (source_ == audience_source::body && audiences_ != 1)
      in_.error(root_, "exactly one of tokens and users is needed");
    if (out_.scheduled_at && *out_.scheduled_at <= now)
      out_.scheduled_at.reset();
    if (out_.options.expires_at && *out_.options.expires_at <= out_.scheduled_at.value_or(now))
      in_.error(root_.member("expires_at"),
                out_.scheduled_at ? "must be after scheduled_at" : "must be in the future");
  }

  /// A text is copied to the payload as it is.
  std::optional<std::string_view> read_text(std::size_t which, json_value value,
                                            const json_place& place) {
    auto text = in_.text(value, place);
    if (text)
      append_json_string(key(which), *text);
    return text;
  }

  std::string& key(std::size_t which) {
    auto& out = out_.payload;
    if (out.size() > 1)
      out += ',';
    out += '"';
    out += names[which];
    return out += "\":";
  }

  push_body& out_;
  field_errors& errors_;
  json_reader in_;
  json_place root_;
  audience_source source_ = audience_source::path;
  bool has_content_ = false;
  int audiences_ = 0;
};

} // namespace

push_body read_push_body(std::string_view text, audience_source source, timestamp now,
                         std::vector<field_error>& errors) {
  push_body out;
  json_document document{text};
  if (!document.problem().empty()) {
    errors.push_back({"", document.problem()});
    return out;
  }
  json_reader in{errors};
  if (auto root = in.object(document.root(), {})) {
    out.payload.reserve(text.size() + 16);
    push_reader{out, errors}.read(*root, source, now);
  }
  return out;
}

} // namespace signalbox::http
