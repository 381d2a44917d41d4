#pragma once

#include "adapters/http2/backoff.hpp"
#include "adapters/http2/client_connection.hpp"
#include "adapters/http2/client_options.hpp"
#include "adapters/http2/pool_stats.hpp"
#include "adapters/http2/request_writer.hpp"
#include "adapters/http2/send_gate.hpp"
#include "adapters/http2/work_queue.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// How the connections of one destination behave together.
struct pool_options {
  client_options connection;
  std::size_t connections = 4;
  backoff_range reconnect;
  std::shared_ptr<send_gate> gate; ///< of the quota that the requests use up; null: none
};

/// The connections of one sender instance to one destination, and the targets that wait for a
/// stream on them. Not thread-safe: everything happens on the executor's thread.
///
/// Connections are opened as the queue needs them. What the protocol says was not processed is sent
/// again on another stream, unless it was refused `max_tries` times; what waits for longer than the
/// request timeout while no connection is usable, or while the writers have nothing to send with,
/// is answered unsent; so is what a gate would hold back for longer than that.
class delivery_pool final : private client_connection::observer {
public:
  using clock = work_queue::clock;

  static constexpr std::uint8_t max_tries = 8;

  using writer_factory = std::function<std::unique_ptr<request_writer>()>;

  /// `new_writer` makes the writer of a new connection; `on_answers` is called when `take_answers`
  /// has something after it had nothing.
  delivery_pool(const boost::asio::any_io_executor& executor, boost::asio::ssl::context& context,
                pool_options options, pool_stats& stats, writer_factory new_writer,
                std::function<void(delivery_pool&)> on_answers);
  ~delivery_pool();

  delivery_pool(const delivery_pool&) = delete;
  delivery_pool& operator=(const delivery_pool&) = delete;

  /// Queues targets; `dispatch` sends them. After `stop` they are answered unsent.
  void push(const work_ptr& of, std::uint32_t first, std::uint32_t count);

  /// Sends what waits, as far as streams are free, and opens connections for the rest.
  void dispatch();

  /// Answers what of the work waits as unsent.
  void withdraw(const signalbox::work& of, std::string_view why);

  void take_answers(std::vector<answer_batch>& out);

  /// Targets that were pushed and are not answered yet.
  std::size_t unanswered() const { return queue_.waiting() + queue_.under_way(); }

  /// Answers what waits as unsent and closes the connections as soon as nothing is under way.
  void stop(std::string_view why);

  /// Lets new connections take over, as `options` and `new_writer` say; ends a stop.
  void configure(pool_options options, writer_factory new_writer);

private:
  struct member {
    std::shared_ptr<client_connection> connection;
    std::unique_ptr<request_writer> writer;
    bool connected = false;
  };

  void on_response(client_connection& from, const client_connection::request_tag& tag,
                   const http2_response& response, std::string_view error) override;
  std::shared_ptr<const void> memory_of(const client_connection::request_tag& tag) override;
  void on_turn(client_connection& from) override;
  void on_goaway(client_connection& from) override;
  void on_closed(client_connection& from, const std::string& error) override;

  using work = work_queue::active_work;

  member& member_of(const client_connection& connection);
  void send_on(member& to);
  void resend(const work_queue::pick& unprocessed, std::string_view error);
  void refuse(work& from, std::uint32_t position, answer other);
  void count(const answer& other);
  void retire_connections();
  void open_connections();
  bool open_connection();
  void reconnect_later();
  void look_again(clock::time_point at);
  void wait_for_gate(clock::time_point now);
  bool is_usable() const;
  void send_waiting();
  void note_waiting();
  void wait_for_connection();
  void look_at_waiting();
  void retire_streamless();
  void give_up(clock::time_point before, std::string_view why);
  void tell_answers();

  const boost::asio::any_io_executor executor_;
  boost::asio::ssl::context& context_;
  pool_options options_;
  pool_stats& stats_;
  writer_factory new_writer_;
  const std::function<void(delivery_pool&)> on_answers_;

  work_queue queue_;
  std::vector<member> members_;
  backoff reconnect_;
  boost::asio::steady_timer reconnect_timer_;
  boost::asio::steady_timer waiting_timer_;
  boost::asio::steady_timer again_timer_;
  std::optional<clock::time_point> again_at_; ///< of the timer that is under way
  bool obstructed_ = false;                   ///< the writers have nothing to send with
  bool reconnect_pending_ = false;
  bool waiting_ = false;
  bool stopped_ = false;
  bool told_answers_ = false;
  bool accepted_in_turn_ = false;
  clock::time_point last_accepted_; ///< the end of the last turn that brought an accepted one
  clock::time_point unusable_since_;
  std::string last_error_ = "no connection";
  std::size_t stream_limit_;
  std::int64_t noted_waiting_ = 0; ///< in the statistics, which other pools share
};

} // namespace signalbox
