#pragma once

#include "adapters/http2/client_options.hpp"
#include "adapters/http2/client_session.hpp"
#include "adapters/http2/tls_stream.hpp"
#include "messages/connection_fault.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// One HTTP/2 connection to a provider, from the connect to the close: warm-up, request timeouts,
/// keepalive, and an honest word about every request.
///
/// After the handshake the window is one stream, until the first request is answered, whatever the
/// answer: APNs allows no more before it has seen a valid one. Then it is `max_streams` or what the
/// peer's SETTINGS allow, followed live. Where a request is not answered in time, nor any other
/// since it left, the connection takes no more, whatever it says to PINGs. Not thread-safe:
/// everything happens on the executor's thread.
class client_connection : public std::enable_shared_from_this<client_connection>,
                          private tls_stream::handler,
                          private client_session::observer {
public:
  using clock = std::chrono::steady_clock;

  /// Comes back with the answer; means nothing to the connection.
  struct request_tag {
    void* owner = nullptr;
    std::uint32_t position = 0;
    std::uint8_t tries = 0;
    std::uint32_t note = 0;
  };

  enum class state : std::uint8_t {
    connecting,
    warming,  ///< open, the first request has not been answered yet
    ready,    ///< open
    draining, ///< no new requests; closes when those under way have ended
    closed,
  };

  /// Calls come from inside the connection's handlers: `submit`, `retire` and `close` may be
  /// called back, the connection must not be destroyed (drop the reference in `on_closed` only).
  class observer {
  public:
    /// Exactly once for every submitted request. `error` says what happened to one that was not
    /// answered, and is empty otherwise.
    virtual void on_response(client_connection& from, const request_tag& tag,
                             const http2_response& response, std::string_view error) = 0;
    /// What the memory of the request belongs to; asked for when a stream outlives its answer.
    virtual std::shared_ptr<const void> memory_of(const request_tag& tag) = 0;
    /// After each read, and after the handshake: streams may have become free, or the connection
    /// may take no more. The moment to submit; what is submitted leaves in one write.
    virtual void on_turn(client_connection& from) = 0;
    virtual void on_goaway(client_connection& from) = 0;
    /// The last call. `error` is empty after an end in order.
    virtual void on_closed(client_connection& from, const std::string& error) = 0;

  protected:
    ~observer() = default;
  };

  /// `context` and `owner` must outlive the connection.
  client_connection(const boost::asio::any_io_executor& executor,
                    boost::asio::ssl::context& context, client_options options, observer& owner);
  ~client_connection();

  client_connection(const client_connection&) = delete;
  client_connection& operator=(const client_connection&) = delete;

  /// Connects; ends in `on_turn` or `on_closed`.
  void open();

  state current_state() const { return state_; }
  /// Answered at least once and usable.
  bool is_ready() const { return state_ == state::ready; }
  /// Whether any request has been answered on it.
  bool was_ready() const { return answered_once_; }
  std::size_t free_streams() const;
  std::size_t streams_in_flight() const { return in_flight_; }
  /// The smaller of `max_streams` and the peer's limit.
  std::size_t stream_limit() const { return session_.stream_limit(); }

  /// Opens a stream; `free_streams` must be above 0. `now` starts its timeout. False when the
  /// session cannot open streams any more; the connection is draining then. Nothing is written
  /// before `flush` or the end of the observer's call.
  bool submit(const http2_request& request, const request_tag& tag, clock::time_point now);

  void flush();

  /// Takes no more requests and closes in order when those under way have ended. A `why` makes it
  /// one that was of no use.
  void retire(std::string_view why = {});

  /// Closes at once: what is under way is lost, except what was never written. Without a `why` it
  /// is in order.
  void close(const std::string& why);

private:
  static constexpr std::uint32_t none = 0xffffffff;

  // A stream under way, in the list of all by time of submission.
  struct entry {
    request_tag tag;
    clock::time_point submitted_at;
    std::uint32_t previous = none;
    std::uint32_t next = none;
    bool timed_out = false; // answered already; waits for its stream to end
    std::shared_ptr<const void> memory;
  };

  void on_open() override;
  bool on_bytes(std::span<const std::uint8_t> bytes) override;
  void fill(std::vector<std::uint8_t>& out, std::size_t limit) override;
  void on_close(boost::system::error_code error) override;

  void on_stream_end(client_session::slot at, const http2_response& response) override;
  void on_settings() override { settings_came_ = true; } // read when they are needed
  void on_goaway(std::uint32_t error_code) override;
  void on_pong() override;

  void blame(connection_fault fault, std::string why);
  void fail_to_connect(boost::system::error_code error);
  std::string tls_failure(boost::system::error_code error) const;
  void report_answer();
  void report_end() const;
  void close_when_drained();
  void give_up_session();
  void link(std::uint32_t at);
  void unlink(std::uint32_t at);
  void abandon_streams(std::string_view why);
  void watch_requests();
  void expire_requests();
  void watch_silence(clock::time_point due);
  void look_for_life();
  void send_ping(clock::time_point now);

  const client_options options_;
  observer& owner_;
  client_session session_;
  std::shared_ptr<tls_stream> stream_;
  std::shared_ptr<class connector> connector_;
  boost::asio::steady_timer request_timer_;
  boost::asio::steady_timer life_timer_;
  state state_ = state::connecting;
  std::string close_reason_; ///< the first
  connection_fault fault_ = connection_fault::closed;

  std::vector<entry> entries_;
  std::uint32_t oldest_ = none;
  std::uint32_t newest_ = none;
  std::size_t in_flight_ = 0;
  bool watching_requests_ = false;
  bool shaking_hands_ = false;
  bool opened_ = false;
  bool settings_came_ = false;
  bool goaway_came_ = false;
  bool submitted_once_ = false;
  bool answered_once_ = false;
  bool answered_in_turn_ = false;
  std::int64_t seen_failures_ = -1; ///< of the board, at the latest answer; -1: none was told yet
  bool shutting_down_ = false;
  bool in_order_ = false;
  clock::time_point last_read_;
  clock::time_point last_end_; ///< of a stream, by the peer
  clock::time_point last_submit_;
  std::optional<clock::time_point> ping_sent_;
};

} // namespace signalbox
