#include "adapters/http/apns_field.hpp"

#include "adapters/http/common_fields.hpp"
#include "adapters/http/json_writer.hpp"
#include "adapters/payload/apns_overlay.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>

namespace signalbox::http {

namespace {

constexpr std::string_view live_activity = "liveactivity";
constexpr std::int64_t last_second_of_9999 = 253'402'300'799;

enum header : std::size_t { push_type, topic, priority, expiration, collapse_id };

constexpr std::array<std::string_view, 5> header_names{
  "apns-push-type", "apns-topic", "apns-priority", "apns-expiration", "apns-collapse-id"};

class apns_reader {
public:
  apns_reader(apns_field& out, timestamp now, bool is_live_activity, json_reader& in)
    : out_{out}, now_{now}, is_live_activity_{is_live_activity}, in_{in} {}

  void read(json_object_view from, const json_place& place) {
    std::size_t position = 0;
    for (auto [key, value] : from) {
      auto here = place.member(key);
      here.index = position++;
      if (key != "headers" && key != "payload")
        in_.error(here, "is neither headers nor payload: what is merged over the APNs payload "
                        "stands in apns.payload");
      else if (value.is_null())
        continue; // as if not given
      else if (key == "headers")
        read_headers(value, here);
      else
        read_payload(value, here);
    }
    if (out_.priority == "10" && out_.push_type == "background")
      in_.error(place.member("headers"), "has apns-priority 10, which background must not have");
    out_.json = json_writer{}
                  .add_json("headers", headers_.take())
                  .add_json("payload", payload_.empty() ? "{}" : payload_)
                  .take();
  }

private:
  void read_headers(json_value value, const json_place& place) {
    const auto object = in_.object(value, place);
    if (!object)
      return;
    for (auto [key, inner] : *object) {
      const auto here = place.member(key);
      const auto* const name = std::find(header_names.begin(), header_names.end(), key);
      if (name == header_names.end())
        in_.error(here, "is not a header that a request can set");
      else if (inner.is_null())
        continue; // as if not given
      else if (const auto text = in_.text(inner, here))
        read_header(static_cast<std::size_t>(name - header_names.begin()), *text, inner, here);
    }
  }

  void read_header(std::size_t which, std::string_view text, json_value value,
                   const json_place& place) {
    headers_.add(header_names[which], text);
    switch (which) {
    case push_type:
      out_.push_type = text;
      check_push_type(text, place);
      break;
    case topic:
      if (text.empty())
        in_.error(place, "must not be empty");
      break;
    case priority:
      out_.priority = text;
      if (text != "10" && text != "5" && (text != "1" || is_live_activity_))
        in_.error(place,
                  is_live_activity_ ? "must be \"10\" or \"5\"" : "must be \"10\", \"5\" or \"1\"");
      break;
    case expiration:
      out_.expiration = text;
      check_expiration(text, place);
      break;
    default:
      read_collapse_id(value, place, in_);
    }
  }

  void check_push_type(std::string_view text, const json_place& place) {
    if (is_live_activity_ && text != live_activity)
      in_.error(place, "must be liveactivity");
    else if (!is_live_activity_ && text == live_activity)
      in_.error(place, "is for POST /v1/live-activity/jobs");
    else if (text == "mdm")
      in_.error(place, "mdm takes a certificate, which this node does not send with");
    else if (find_apns_push_type(text) == nullptr)
      in_.error(place, "is no push type of APNs");
  }

  void check_expiration(std::string_view text, const json_place& place) {
    std::int64_t seconds = -1;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), seconds).ptr;
    if (text.empty() || end != text.data() + text.size() || seconds < 0 ||
        seconds > last_second_of_9999)
      in_.error(place, "must be whole seconds since 1970, or \"0\"");
    else if (seconds > 0 && timestamp{std::chrono::seconds{seconds}} <= now_)
      in_.error(place, "must be in the future, or \"0\"");
  }

  void read_payload(json_value value, const json_place& place) {
    const auto object = in_.object(value, place);
    json_value aps;
    if (object && (*object)["aps"].get(aps) == simdjson::SUCCESS)
      in_.object(aps, place.member("aps"));
    payload_ = in_.source(place);
  }

  apns_field& out_;
  const timestamp now_;
  const bool is_live_activity_;
  json_reader& in_;
  json_writer headers_;
  std::string payload_;
};

} // namespace

std::optional<apns_field> read_apns(json_value value, const json_place& place, timestamp now,
                                    bool is_live_activity, json_reader& in) {
  const auto object = in.object(value, place);
  if (!object)
    return std::nullopt;
  in.unique_members(value, place);
  apns_field out;
  apns_reader{out, now, is_live_activity, in}.read(*object, place);
  return out;
}

} // namespace signalbox::http
