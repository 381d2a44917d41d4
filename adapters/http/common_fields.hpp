#pragma once

#include "adapters/http/json_reader.hpp"
#include "messages/job.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

// Fields that bodies of several routes have. A function that returns nothing has added an error.

namespace signalbox::http {

/// The id of a user, a topic or an activity.
std::optional<std::string> read_identifier(json_value value, const json_place& place,
                                           json_reader& in);

/// The caller's own id for a job.
std::optional<std::string> read_reference(json_value value, const json_place& place,
                                          json_reader& in);

/// Whole seconds, from 0 to FCM's limit of 28 days.
std::optional<std::chrono::seconds> read_ttl(json_value value, const json_place& place,
                                             json_reader& in);
std::optional<receipts_policy> read_receipts(json_value value, const json_place& place,
                                             json_reader& in);
std::optional<unknown_policy> read_on_unknown(json_value value, const json_place& place,
                                              json_reader& in);

/// What APNs takes as `apns-collapse-id`: 1 to 64 bytes that may stand in a header. The text lives
/// as long as the document.
std::optional<std::string_view> read_collapse_id(json_value value, const json_place& place,
                                                 json_reader& in);

/// An RFC 3339 text or whole seconds since 1970, up to the year 9999.
std::optional<timestamp> read_time_or_epoch(json_value value, const json_place& place,
                                            json_reader& in);

/// An object in which no member is repeated, at any depth, as json_reader::source writes it.
std::optional<std::string> read_plain_object(json_value value, const json_place& place,
                                             json_reader& in);

} // namespace signalbox::http
