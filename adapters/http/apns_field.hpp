#pragma once

#include "adapters/http/json_reader.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace signalbox::http {

/// The `apns` object of a request, read. Its views live as long as the document.
struct apns_field {
  std::string json;           ///< as new_job::payload has it
  std::string_view push_type; ///< this header and those below: empty: not set
  std::string_view priority;
  std::string_view expiration;
};

/// Reads `apns`: `headers` (push type, topic, priority, expiration and collapse id, all texts, each
/// as APNs takes it) and `payload`, to be merged over the APNs payload: no payload is one without
/// its `aps` object. Whether a topic is the bundle's is not known here. A Live Activity has its own
/// push type and no priority 1. Returns nothing when it has added an error that leaves nothing to
/// look at.
std::optional<apns_field> read_apns(json_value value, const json_place& place, timestamp now,
                                    bool is_live_activity, json_reader& in);

} // namespace signalbox::http
