#pragma once

#include "adapters/http/completion_queue.hpp"
#include "adapters/http/request.hpp"
#include "adapters/http/responder.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

/// Takes the body of a request piece by piece, on the connection's thread.
class body_sink {
public:
  virtual ~body_sink() = default;

  /// Takes `piece` (at most 64 KiB) whole. False stops the reading until `body_flow::resume`;
  /// pieces that were already read may still come.
  virtual bool on_piece(std::string_view piece) = 0;
  /// The body is complete. Nothing comes after it.
  virtual void on_end() = 0;
  /// The body will not be completed: the client hung up, was too slow or sent malformed chunks, or
  /// the request was answered before the body's end. Nothing comes after it.
  virtual void on_abort() = 0;
};

/// Lets a stopped body go on. Copyable; any thread.
class body_flow {
public:
  body_flow(std::shared_ptr<completion_queue> queue, std::uint64_t connection,
            std::uint64_t exchange);
  void resume() const;

private:
  std::shared_ptr<completion_queue> queue_;
  std::uint64_t connection_;
  std::uint64_t exchange_;
};

/// Called on the connection's thread: must not block. May answer at once or later, from anywhere.
using handler = std::function<void(request&, responder)>;

/// Called when the head of a request is complete; never returns null. An answer before the body's
/// end closes the connection.
using stream_handler = std::function<std::shared_ptr<body_sink>(request&, responder, body_flow)>;

/// Names of query parameters. They outlive the router.
using query_names = std::vector<std::string_view>;

/// One line of the routing table.
struct route {
  verb method = verb::get;
  /// Segments are literal or `{name}`, e.g. `/v1/users/{user}/tokens`; without a trailing slash.
  std::string pattern{};
  query_names query{}; ///< the parameters it takes; a request with any other is refused
  handler handle{};
  std::optional<std::size_t> max_body{}; ///< bytes; none: the server's default
  /// Bodies of these media types go to `stream`, without limit; others to `handle`.
  std::vector<std::string_view> stream_types{};
  stream_handler stream{};
};

} // namespace signalbox::http
