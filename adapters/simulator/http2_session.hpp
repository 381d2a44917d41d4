#pragma once

#include "adapters/simulator/exchange.hpp"
#include "adapters/simulator/http_session.hpp"

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace signalbox::sim {

class provider_connection;

/// HTTP/2 on a simulated provider's connection: turns streams into requests for the service and its
/// answers into frames, and acts on the faults that concern the connection.
///
/// A request allocates nothing once the connection has warmed up. Client streams that exceed
/// `max_streams` are refused with REFUSED_STREAM until the client has acknowledged it; afterwards
/// they are a connection error (RFC 9113, section 5.1.2). Lives on the I/O thread.
class http2_session final : public http_session {
public:
  /// `connection` owns the session.
  explicit http2_session(provider_connection& connection);
  ~http2_session() override;

  bool on_bytes(std::span<const std::uint8_t> bytes) override;
  void fill(std::vector<std::uint8_t>& out, std::size_t limit) override;
  bool is_over() const override;
  void send_postponed(std::int32_t stream_id) override;
  void update_max_streams() override;
  void say_goodbye() override;
  std::uint64_t unanswered() const override;

private:
  struct stream;
  struct session_deleter {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  static http2_session& self(void* user_data) { return *static_cast<http2_session*>(user_data); }
  static const nghttp2_session_callbacks* callbacks();
  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user_data);
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t flags, void* user_data);
  static int on_data(nghttp2_session*, std::uint8_t flags, std::int32_t stream_id,
                     const std::uint8_t* data, std::size_t size, void* user_data);
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data);
  static int on_frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user_data);
  static int on_stream_close(nghttp2_session*, std::int32_t stream_id, std::uint32_t error,
                             void* user_data);

  void begin(std::int32_t stream_id);
  stream* find(std::int32_t stream_id);
  void complete(stream& done);
  void count_towards_goaway(std::int32_t stream_id);
  void send(stream& done);
  void submit_settings(std::uint32_t max_streams);

  provider_connection& connection_;
  std::unique_ptr<nghttp2_session, session_deleter> session_;
  std::vector<std::unique_ptr<stream>> streams_;
  std::vector<stream*> free_streams_;
  /// The stream of the latest frame, since a header block's callbacks come one after the other.
  stream* latest_ = nullptr;
  std::vector<header_field> fields_;
  std::uint64_t requests_ = 0;
  std::int32_t highest_request_ = 0;
  std::optional<std::int32_t> goaway_last_stream_;
  bool warming_up_ = false;
  bool knows_apns_id_ = false;
};

} // namespace signalbox::sim
