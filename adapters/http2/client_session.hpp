#pragma once

#include "adapters/http2/client_options.hpp"
#include "adapters/http2/session_memory.hpp"

#include <nghttp2/nghttp2.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// A body in the pieces it is made of: what all requests of a job share, around what one is about.
using http2_body = std::array<std::string_view, 3>;

/// One request. `headers` are read during the call; what they flag as NO_COPY, and the body, must
/// stay valid until the stream has ended.
struct http2_request {
  std::span<const nghttp2_nv> headers;
  http2_body body;
  std::uint32_t note = 0; ///< of the request's writer, who gets it back with the answer
};

/// How a stream ended.
enum class stream_end : std::uint8_t {
  complete,    ///< a whole response
  refused,     ///< REFUSED_STREAM: not processed (RFC 9113, 8.7)
  unprocessed, ///< not processed either: above a GOAWAY's last-stream-id, or never written
  lost,        ///< anything else: it may have been processed
};

/// What came back on a stream. Views are valid during the call.
struct http2_response {
  stream_end end = stream_end::lost;
  std::uint16_t status = 0;     ///< 0: none came
  std::uint32_t error_code = 0; ///< RFC 9113, section 7
  std::string_view retry_after; ///< the header's value; empty as well: longer than 1 KiB
  std::string_view header;      ///< the value of `response_rule::header`; the same
  std::string_view body;        ///< its first `response_rule::body_limit` bytes
  std::chrono::steady_clock::time_point submitted_at{}; ///< lost: when it was submitted
};

/// The client's side of one HTTP/2 connection, without sockets: bytes in, bytes out. Not
/// thread-safe.
///
/// Sends no priorities, refuses server push, follows the peer's SETTINGS. Nothing is allocated here
/// for a request but what nghttp2 needs: streams live in slots that are used again.
class client_session {
public:
  /// Names a request between `submit` and the end of its stream; below `max_streams`.
  using slot = std::uint32_t;

  /// Called inside `receive` and `fill`. `submit`, `cancel`, `ping` and `terminate` may be called
  /// from these functions, `receive` and `fill` may not.
  class observer {
  public:
    /// Exactly once for every submitted request, unless the session is destroyed before. The
    /// stream counts as open until the call returns.
    virtual void on_stream_end(slot at, const http2_response& response) = 0;
    /// The peer's SETTINGS were received; `stream_limit` may have changed.
    virtual void on_settings() = 0;
    /// No request may be submitted any more; those the peer will not process end by themselves.
    virtual void on_goaway(std::uint32_t error_code) = 0;
    virtual void on_pong() = 0;

  protected:
    ~observer() = default;
  };

  /// At most `max_streams` requests are open at a time, whatever the peer allows.
  client_session(std::size_t max_streams, observer& owner, response_rule keeps = {});
  ~client_session();

  client_session(const client_session&) = delete;
  client_session& operator=(const client_session&) = delete;

  /// Takes what the peer sent. False: it broke the protocol, so badly that nothing can be said to
  /// it any more.
  bool receive(std::span<const std::uint8_t> bytes);

  /// Appends what is to be sent to `out`, until it holds about `limit` bytes.
  void fill(std::vector<std::uint8_t>& out, std::size_t limit);

  /// Opens a stream. The caller has made sure that `free_streams` is above 0. Answers its slot, or
  /// nothing when the session cannot open streams any more (GOAWAY, ids used up).
  bool submit(const http2_request& request, slot& at);

  /// Resets the stream; `on_stream_end` follows when that has been written.
  void cancel(slot at);

  void ping();

  /// Queues a GOAWAY: the end of the connection, in order.
  void terminate();

  /// Nothing is to be read or written any more: the peer broke the protocol and has been told so,
  /// or `terminate` was carried out, or the last stream after a GOAWAY has ended.
  bool is_over() const;

  /// Streams that can be opened now: the smaller of our limit and the peer's, less the open ones;
  /// none after a GOAWAY.
  std::size_t free_streams() const;
  std::size_t open_streams() const { return slots_.size() - free_.size(); }
  /// The smaller of `max_streams` and the peer's SETTINGS_MAX_CONCURRENT_STREAMS.
  std::size_t stream_limit() const;
  /// Whether any part of the request may have been given out by `fill`.
  bool may_have_left(slot at) const;

private:
  struct stream {
    std::int32_t id = 0;
    std::uint16_t status = 0;
    bool never_sent = false;
    bool is_answered = false; ///< before all of the request was sent
    http2_body unsent_body;
    std::string retry_after;
    std::string header;
    std::string body;

    void begin_response(std::uint16_t with_status);
  };
  struct deleter {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };
  struct callbacks;

  slot slot_of(const stream& of) const { return static_cast<slot>(&of - slots_.data()); }
  stream* find(std::int32_t id);
  void take_end(std::int32_t id);
  void end_stream(stream& ended, std::uint32_t error_code);

  observer& owner_;
  const response_rule keeps_;
  std::vector<stream> slots_;
  std::vector<slot> free_;
  std::vector<std::uint8_t>* out_ = nullptr; // set during fill
  bool goaway_ = false;
  session_memory memory_;
  std::unique_ptr<nghttp2_session, deleter> session_;
};

} // namespace signalbox
