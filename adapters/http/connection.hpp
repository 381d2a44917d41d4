#pragma once

#include "adapters/http/answer_queue.hpp"
#include "adapters/http/completion_queue.hpp"
#include "adapters/http/message_parser.hpp"
#include "adapters/http/problem.hpp"
#include "adapters/http/response.hpp"
#include "adapters/http/router.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

class io_loop;

/// One client's connection: reads requests, pipelined ones too, hands them to their routes, and
/// writes the answers in the order of the requests however late each comes. Lives on its loop's
/// thread.
class connection final : public std::enable_shared_from_this<connection>, private message_listener {
public:
  using clock = std::chrono::steady_clock;

  connection(io_loop& loop, std::uint64_t id, boost::asio::ip::tcp::socket socket);
  ~connection();

  /// Answers 503 without reading and closes: the server has enough connections.
  void refuse();
  /// Takes what a responder or a body_flow sent.
  void complete(std::uint64_t exchange, completion_event event);
  /// Writes what is ready, and reads on if there is room for more requests.
  void pump();
  void check_deadlines(clock::time_point now);
  /// What this connection's unfinished body costs: its bytes times how long they have been held.
  double body_cost(clock::time_point now) const;
  /// Ends the unfinished body with a 503, to make room for others.
  void shed_body();
  /// Bytes of answers that the client has not taken.
  std::size_t unsent() const { return out_.size() - written_ + answers_.bytes(); }
  clock::time_point last_progress() const { return last_progress_; }
  void close();
  /// True the first time since the last `pump`.
  bool mark_touched();

private:
  std::optional<response> on_head(request& head,
                                  std::optional<std::uint64_t> content_length) override;
  std::optional<response> on_piece(std::string_view piece) override;

  void arm_read();
  void on_readable();
  void parse(std::string_view data);
  void begin_message();
  void finish_message();
  void drop_message();
  void fail(response answer);
  std::uint64_t open_exchange();
  void dispatch(std::uint64_t number);
  bool write_answers();
  bool write_stream();
  void begin_stream();
  void flush();
  void linger();
  bool wants_read() const;
  bool has_room() const;
  bool take_room(std::size_t bytes);
  bool keep_in_work(std::size_t bytes, std::shared_ptr<void>& hold);

  io_loop& loop_;
  const std::uint64_t id_;
  boost::asio::ip::tcp::socket socket_;

  answer_queue answers_;
  std::optional<answer_queue::open_stream> stream_; ///< the last answer, which is under way

  // The message that is being read.
  std::optional<message_parser> parser_;
  route_match match_;
  std::vector<field_error> query_errors_;
  std::shared_ptr<body_sink> sink_;
  std::uint64_t sink_exchange_ = 0;
  std::size_t body_limit_ = 0;
  std::size_t body_size_ = 0;
  std::size_t held_ = 0; ///< this message's share of server_state::buffered
  bool expects_continue_ = false;
  bool body_paused_ = false;
  clock::time_point message_began_;
  clock::time_point body_began_;
  clock::time_point span_began_; ///< of the body's current timeout span
  std::size_t span_bytes_ = 0;

  std::string unparsed_;
  bool parse_blocked_ = false; ///< unparsed_ holds more than the start of a message
  std::string out_;
  std::size_t written_ = 0;
  std::size_t counted_unsent_ = 0; ///< what the loop knows of `unsent`
  clock::time_point last_progress_;

  bool touched_ = false;
  bool reading_ = false; ///< a wait for input is under way
  bool writing_ = false; ///< a wait for room to write is under way
  bool last_request_seen_ = false;
  bool peer_closed_ = false;
  bool closing_ = false; ///< the last answer is in out_, or stream_ goes on with it
  bool lingering_ = false;
  bool closed_ = false;
};

} // namespace signalbox::http
