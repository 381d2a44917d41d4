#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace signalbox::sim {

/// What runs on a simulated provider's connection: one version of HTTP. It turns bytes into
/// requests for the provider's service and answers into bytes. Lives on the I/O thread.
class http_session {
public:
  virtual ~http_session() = default;

  /// Decrypted bytes, valid during the call. False closes the connection at once.
  virtual bool on_bytes(std::span<const std::uint8_t> bytes) = 0;

  /// Appends what is to be sent to `out`, up to about `limit` bytes.
  virtual void fill(std::vector<std::uint8_t>& out, std::size_t limit) = 0;

  /// When nothing is left to be sent: whether the connection is to be ended in order.
  virtual bool is_over() const = 0;

  /// Queues the answer that was postponed for a request, if it is still awaited.
  virtual void send_postponed(std::int32_t stream_id) = 0;

  /// The fault `max_streams` is another one now.
  virtual void update_max_streams() = 0;

  /// Queues what a server says before it ends a connection.
  virtual void say_goodbye() = 0;

  /// How many counted requests still lack their answer; asked once, at the end.
  virtual std::uint64_t unanswered() const = 0;
};

} // namespace signalbox::sim
