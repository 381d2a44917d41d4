#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace signalbox {

/// Everything a port can answer. The HTTP status in brackets is what the API makes of it.
enum class errc : std::uint8_t {
  ok = 0,
  not_found,   ///< the named user, topic, token or job does not exist [404]
  conflict,    ///< the state does not allow it; the first terminal state stands [409]
  invalid,     ///< the request cannot be carried out as it is [400]
  busy,        ///< full for the moment; try again [503]
  unavailable, ///< the store cannot be reached or written; nothing was changed [503]
  disk_full,   ///< no room left for new work; outcomes still have their reserve [503]
  stopping,    ///< the node is stopping; nothing was changed [503]
  internal,    ///< a bug; the message says where [500]
};

std::string_view to_string(errc value);

/// A value or an error with a sentence for the log and the client. No exception crosses a port.
template <class T>
struct result {
  errc code = errc::ok;
  std::string message;
  T value{};

  bool ok() const { return code == errc::ok; }
  static result failure(errc code, std::string message) { return {code, std::move(message), {}}; }
  static result success(T value) { return {errc::ok, {}, std::move(value)}; }
};

struct unit {};

} // namespace signalbox
