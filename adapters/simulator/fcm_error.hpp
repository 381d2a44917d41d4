#pragma once

#include "adapters/simulator/exchange.hpp"

#include <string>
#include <string_view>

namespace signalbox::sim {

/// Why FCM refuses a request. `status` 0: it does not.
struct fcm_error {
  int status = 0;
  /// FCM's own code ("UNREGISTERED"), in an `FcmError` detail; empty: none.
  std::string_view code;
  /// Google's canonical code ("NOT_FOUND"); empty: the one that belongs to `code` or `status`.
  std::string_view canonical;
  std::string message;
  /// The field that a `BadRequest` detail names; empty: none.
  std::string field;

  explicit operator bool() const noexcept { return status != 0; }
  /// What the counters call it: FCM's own code, else the canonical one.
  std::string_view name() const noexcept;
};

/// Writes the error as FCM does (Firebase, "FCM error codes"; google.rpc.Status as JSON).
void write_fcm_error(const fcm_error& error, answer& out);

} // namespace signalbox::sim
