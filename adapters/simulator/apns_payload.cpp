#include "adapters/simulator/apns_payload.hpp"

#include "adapters/simulator/exchange.hpp"

#include <simdjson.h>

#include <utility>

namespace signalbox::sim {

static_assert(body_padding >= simdjson::SIMDJSON_PADDING);

struct apns_payload_reader::parser {
  simdjson::dom::parser dom;
};

apns_payload_reader::apns_payload_reader(std::string order_key)
  : order_key_{std::move(order_key)}, parser_{std::make_unique<parser>()} {}

apns_payload_reader::~apns_payload_reader() = default;

const apns_payload& apns_payload_reader::read(std::string_view body) {
  if (body != latest_body_) {
    latest_body_ = body;
    latest_ = parse(body);
  }
  return latest_;
}

apns_payload apns_payload_reader::parse(std::string_view body) {
  apns_payload result;
  simdjson::dom::object aps;
  constexpr bool copy = false;
  if (parser_->dom.parse(body.data(), body.size(), copy)["aps"].get(aps) != simdjson::SUCCESS)
    return result;
  result.well_formed = true;
  double order = 0;
  if (aps["content-state"][order_key_].get(order) == simdjson::SUCCESS)
    result.order = order;
  return result;
}

} // namespace signalbox::sim
