#include "adapters/http/push_body.hpp"

#include "adapters/http/apns_field.hpp"
#include "adapters/http/common_fields.hpp"
#include "adapters/http/json_reader.hpp"
#include "adapters/http/token_body.hpp"

#include <array>
#include <bitset>
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
  push_reader(push_body& out, field_errors& errors, std::string_view text)
    : out_(out), in_(errors, text) {}

  void read(json_object_view from, audience_source source, timestamp now) {
    source_ = source;
    now_ = now;
    out_.payload = '{';
    in_.members(from, root_, names, [this](std::size_t which, json_value value, json_place place) {
      given_.set(which, !value.is_null());
      which < ttl ? read_content(which, value, place) : read_option(which, value, place);
    });
    out_.payload += '}';
    check_whole();
  }

private:
  void read_content(std::size_t which, json_value value, const json_place& place) {
    switch (which) {
    case title:
    case body:
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
        is_silent_ = *flag;
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
      apns_ = read_apns(value, place, now_, false, in_);
      if (apns_)
        key(which) += apns_->json;
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

  void check_whole() {
    const auto push_type = apns_ ? apns_->push_type : std::string_view{};
    // Other types carry what their app makes of `data`.
    const bool needs_content = push_type.empty() || push_type == "alert";
    if (needs_content && !is_silent_ && !given_[title] && !given_[body] && !given_[badge])
      in_.error(root_, "one of title, body, badge or silent is needed");
    if (is_silent_)
      check_silent();
    else if (push_type == "background")
      in_.error(header("apns-push-type"), "background needs silent");
    if (given_[image_url] && !given_[title] && !given_[body] && !is_silent_)
      in_.error(root_.member(names[image_url]), "needs a title or a body");
    if (source_ == audience_source::body && audiences_ != 1)
      in_.error(root_, "exactly one of tokens and users is needed");
    check_times();
  }

  /// What a silent push has no place for is not left out in silence.
  void check_silent() {
    for (auto one : {title, body, image_url, sound, badge, thread_id, category})
      if (given_[one])
        in_.error(root_.member(names[one]), "contradicts silent, which shows nothing");
    if (!apns_)
      return;
    if (!apns_->push_type.empty() && apns_->push_type != "background")
      in_.error(header("apns-push-type"), "contradicts silent, which is background");
    else if (apns_->push_type.empty() && apns_->priority == "10")
      in_.error(header("apns-priority"), "contradicts silent: background must not have 10");
  }

  void check_times() {
    if (out_.scheduled_at && *out_.scheduled_at <= now_)
      out_.scheduled_at.reset();
    if (out_.options.expires_at && *out_.options.expires_at <= out_.scheduled_at.value_or(now_))
      in_.error(root_.member("expires_at"),
                out_.scheduled_at ? "must be after scheduled_at" : "must be in the future");
    const bool is_single_try = out_.options.ttl && out_.options.ttl->count() == 0;
    if (is_single_try && apns_ && !apns_->expiration.empty() && apns_->expiration != "0")
      in_.error(header("apns-expiration"), "contradicts a ttl of 0, which is one try");
  }

  /// A text is copied to the payload as it is.
  std::optional<std::string_view> read_text(std::size_t which, json_value value,
                                            const json_place& place) {
    auto text = in_.text(value, place);
    if (text)
      append_json_string(key(which), *text);
    return text;
  }

  json_place header(std::string_view name) const { return headers_place_.member(name); }

  std::string& key(std::size_t which) {
    auto& out = out_.payload;
    if (out.size() > 1)
      out += ',';
    out += '"';
    out += names[which];
    return out += "\":";
  }

  push_body& out_;
  json_reader in_;
  json_place root_;
  json_place apns_place_ = root_.member(names[apns]);
  json_place headers_place_ = apns_place_.member("headers");
  audience_source source_ = audience_source::path;
  timestamp now_;
  std::bitset<names.size()> given_;
  bool is_silent_ = false;
  std::optional<apns_field> apns_;
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
    push_reader{out, errors, text}.read(*root, source, now);
  }
  return out;
}

} // namespace signalbox::http
