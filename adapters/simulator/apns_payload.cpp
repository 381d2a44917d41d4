#include "adapters/simulator/apns_payload.hpp"

#include "adapters/payload/json_text.hpp"
#include "adapters/simulator/exchange.hpp"
#include "adapters/simulator/text_hash.hpp"

#include <simdjson.h>

#include <utility>

namespace signalbox::sim {

namespace dom = simdjson::dom;

static_assert(body_padding >= simdjson::SIMDJSON_PADDING);

namespace {

// Year 5138: what is above was meant in milliseconds.
constexpr std::int64_t latest_second = 100'000'000'000;

bool has(dom::object aps, std::string_view name) {
  return aps[name].error() == simdjson::SUCCESS;
}

bool is_text(dom::object aps, std::string_view name) {
  std::string_view text;
  return aps[name].get(text) == simdjson::SUCCESS && !text.empty();
}

std::string_view problem_of_start(dom::object aps) {
  if (!is_text(aps, "attributes-type"))
    return "aps.attributes-type is required for a start: a text";
  if (!aps["attributes"].is_object())
    return "aps.attributes is required for a start: an object";
  if (!aps["alert"].is_object() && !is_text(aps, "alert"))
    return "aps.alert is required for a start: an object or a text";
  std::int64_t one = 0;
  const bool by_token = has(aps, "input-push-token");
  if (by_token && (aps["input-push-token"].get(one) != simdjson::SUCCESS || one != 1))
    return "aps.input-push-token must be 1";
  if (has(aps, "input-push-channel")) {
    if (!is_text(aps, "input-push-channel"))
      return "aps.input-push-channel must be a channel id";
    if (by_token)
      return "aps has input-push-token and input-push-channel: only one of them can be";
  }
  return {};
}

std::string_view problem_of_dates(dom::object aps) {
  for (const auto* name : {"stale-date", "dismissal-date"}) {
    std::int64_t seconds = 0;
    if (has(aps, name) && (aps[name].get(seconds) != simdjson::SUCCESS || seconds > latest_second))
      return "aps.stale-date and aps.dismissal-date must be seconds";
  }
  if (has(aps, "relevance-score") && !aps["relevance-score"].is_number())
    return "aps.relevance-score must be a number";
  return {};
}

std::string_view problem_of_activity(dom::object aps, apns_content as) {
  std::int64_t timestamp = 0;
  if (aps["timestamp"].get(timestamp) != simdjson::SUCCESS)
    return "aps.timestamp is required: whole seconds";
  if (timestamp <= 0 || timestamp > latest_second)
    return "aps.timestamp must be seconds since 1970";
  std::string_view event;
  if (aps["event"].get(event) != simdjson::SUCCESS ||
      (event != "start" && event != "update" && event != "end"))
    return "aps.event is required: start, update or end";
  const bool has_state = has(aps, "content-state");
  if (!has_state && event != "end")
    return "aps.content-state is required for start and update";
  if (has_state && !aps["content-state"].is_object())
    return "aps.content-state must be an object";
  if (const auto problem = problem_of_dates(aps); !problem.empty())
    return problem;
  if (event == "start")
    return as == apns_content::broadcast ? "a broadcast cannot start a Live Activity"
                                         : problem_of_start(aps);
  if (has(aps, "input-push-token") || has(aps, "input-push-channel"))
    return "only a start has aps.input-push-token or aps.input-push-channel";
  return {};
}

} // namespace

struct apns_payload_reader::parser {
  dom::parser dom;
};

apns_payload_reader::apns_payload_reader(std::string order_key)
  : order_key_{std::move(order_key)}, parser_{std::make_unique<parser>()} {
  latest_.problem = "there is no body";
}

apns_payload_reader::~apns_payload_reader() = default;

const apns_payload& apns_payload_reader::read(std::string_view body, apns_content as) {
  if (body != latest_body_ || as != latest_as_) {
    latest_body_ = body;
    latest_as_ = as;
    latest_ = parse(body, as);
  }
  return latest_;
}

apns_payload apns_payload_reader::parse(std::string_view body, apns_content as) {
  apns_payload result;
  dom::object aps;
  constexpr bool copy = false;
  auto root = parser_->dom.parse(body.data(), body.size(), copy);
  if (root.error() == simdjson::NUMBER_ERROR)
    root = parser_->dom.parse(with_tame_numbers(body));
  if (root["aps"].get(aps) != simdjson::SUCCESS) {
    result.problem = "the body must be a JSON object with an aps dictionary";
    return result;
  }
  if (as == apns_content::push)
    return result;
  result.problem = problem_of_activity(aps, as);
  if (!result.problem.empty())
    return result;
  result.timestamp_s = aps["timestamp"];
  double order = 0;
  if (aps["content-state"][order_key_].get(order) == simdjson::SUCCESS)
    result.order = order;
  dom::object attributes;
  if (aps["attributes"].get(attributes) == simdjson::SUCCESS)
    result.attributes = text_hash(simdjson::minify(attributes)) ^
                        (text_hash(aps["attributes-type"].get_string()) >> 1);
  return result;
}

} // namespace signalbox::sim
