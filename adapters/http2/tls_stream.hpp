#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// A TLS 1.2+ byte stream with ALPN over one TCP connection, for an HTTP session on top: a client
/// wants `h2` of its peer, a server takes what `versions` says.
///
/// One object a connection, owned by `shared_ptr` (operations under way hold a reference). Not
/// thread-safe: every call, and every call of the handler, happens on the thread that runs the
/// executor. It has no timeouts of its own but the one of `shutdown`: an owner that wants one for
/// the handshake calls `close`.
///
/// Writes are pulled: whenever no write is under way, `handler::fill` is asked for the next one, so
/// everything queued in the meantime leaves in one TLS write. One write a request instead costs
/// three times the CPU.
class tls_stream : public std::enable_shared_from_this<tls_stream> {
public:
  using error_code = boost::system::error_code;

  /// What one `fill` is asked for, in bytes.
  static constexpr std::size_t write_limit = 64 * 1024;

  /// The session on top. It outlives the stream or calls `detach`.
  class handler {
  public:
    /// The handshake succeeded; see `agreed_protocol`. A flush follows.
    virtual void on_open() = 0;

    /// Decrypted bytes, valid during the call. A flush follows. Returning false closes the stream
    /// at once, with `errc::protocol_error`.
    virtual bool on_bytes(std::span<const std::uint8_t> bytes) = 0;

    /// Appends what is to be sent to `out` (empty on entry), up to about `limit` bytes; going over
    /// it by a frame is fine. Nothing appended means nothing to send until the next `flush`.
    virtual void fill(std::vector<std::uint8_t>& out, std::size_t limit) = 0;

    /// Called exactly once, the last call of all: the stream is closed. `error` is empty after an
    /// orderly `shutdown`, `asio::error::eof` when the peer ended the stream, `operation_aborted`
    /// after `close`, `errc::protocol_not_supported` when ALPN came to no agreement, and
    /// otherwise what the handshake, a read or a write failed with. The handler may destroy itself
    /// and drop the stream here.
    virtual void on_close(error_code error) = 0;

  protected:
    ~handler() = default;
  };

  /// `context` holds the trust anchors (client) or the certificate and key (server) and must
  /// outlive the stream; so must `session`, unless it calls `detach`.
  tls_stream(const boost::asio::any_io_executor& executor, boost::asio::ssl::context& context,
             handler& session);

  tls_stream(const tls_stream&) = delete;
  tls_stream& operator=(const tls_stream&) = delete;

  /// The TCP socket, for the owner to connect (or accept into) before the start.
  boost::asio::ip::tcp::socket& socket() noexcept { return stream_.next_layer(); }

  /// Starts as the client on the connected socket: verifies the peer's certificate for `host` (a
  /// name, or an IP address), sends it as SNI if it is a name, offers `h2`.
  void start_client(const std::string& host);

  /// What a server takes by ALPN, the best first: `h2`, and maybe `http/1.1`.
  enum class versions { http2, http2_and_http1 };

  /// Starts as the server on the accepted socket. A client that offers something else only is
  /// refused; one that offers nothing by ALPN is not.
  void start_server(versions taken);

  /// From `on_open` on: `h2`, `http/1.1`, or nothing where the client of a server offered nothing.
  std::string_view agreed_protocol() const;

  /// Sends what the handler has to send. Cheap to call at any time: it does nothing before the
  /// stream is open, while a write is under way, and inside the handler's calls (after each of
  /// which a flush follows anyway, so an HTTP/2 session may submit and flush from its callbacks).
  void flush();

  /// Closes at once. `on_close` is called before this returns or, inside a call of the handler,
  /// right after that call.
  void close();

  /// Ends in order: sends what `fill` still has, then the TLS close_notify, and waits up to 2 s for
  /// the peer to do the same. What it still sends is discarded.
  void shutdown();

  /// Closes at once and never calls the handler again, not even `on_close`.
  void detach();

  /// What is wrong with the peer's certificate, in words; empty: nothing is known.
  std::string certificate_error() const;

  /// True from `on_open` until the stream is closed or shutting down.
  bool is_open() const noexcept { return state_ == state::open; }

private:
  enum class state { connecting, open, draining, notifying, closed };

  bool configure_client(const std::string& host, error_code& error);
  void handshake(boost::asio::ssl::stream_base::handshake_type type);
  void on_handshake(error_code error, boost::asio::ssl::stream_base::handshake_type type);
  void read();
  void on_read(error_code error, std::size_t size);
  void notify();
  void request_close(error_code error);
  void finish(error_code error);
  template <class Call>
  void call_handler(Call call);

  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
  boost::asio::steady_timer notify_deadline_;
  handler* handler_;
  state state_ = state::connecting;
  bool writing_ = false;
  bool in_handler_ = false;
  std::optional<error_code> close_requested_;
  std::vector<std::uint8_t> in_;
  std::vector<std::uint8_t> out_;
};

} // namespace signalbox
