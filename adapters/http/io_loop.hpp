#pragma once

#include "adapters/http/completion_queue.hpp"
#include "adapters/http/router.hpp"
#include "adapters/http/server_options.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace signalbox::http {

class connection;

/// What the threads of a server share.
struct server_state {
  server_options options;
  router routes;
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> buffered{0}; ///< bytes of bodies that are not complete yet
  /// Bytes of large bodies whose requests are not answered yet; responders outlive the server.
  std::shared_ptr<std::atomic<std::size_t>> in_work = std::make_shared<std::atomic<std::size_t>>(0);
  std::atomic<bool> draining{false};
};

/// One I/O thread with the connections it serves. Connections are touched by this thread alone.
///
/// Work is done in turns: whatever an event makes ready is answered before the turn ends, so that
/// many answers of one connection leave in one write.
class io_loop {
public:
  explicit io_loop(server_state& state);
  ~io_loop();

  void start();
  /// Any thread. Closes all connections and joins the thread.
  void stop();
  /// Any thread. Lets every connection finish what is under way, then closes it.
  void drain();

  boost::asio::io_context& context() { return context_; }
  /// Any thread. Takes over a socket of this loop's context; `refused` ones only hear 503.
  void adopt(boost::asio::ip::tcp::socket socket, bool refused);

  // For connections, on the loop's thread:
  server_state& state() { return state_; }
  const std::shared_ptr<completion_queue>& completions() { return completions_; }
  /// Scratch space for one read; its contents last until the turn's next read.
  std::vector<char>& read_buffer() { return read_buffer_; }
  /// Scratch space for what a stream has next.
  std::string& stream_piece() { return stream_piece_; }
  std::string_view http_date();
  /// Has `pump` called before the turn ends.
  void touch(std::shared_ptr<connection> one);
  void forget(std::uint64_t id);
  /// A connection's unsent answers have become `after` bytes.
  void count_unsent(std::size_t before, std::size_t after) { unsent_ += after - before; }
  /// Ends the body of this loop that costs the most; false if that is the one of `asking`.
  bool shed_body(const connection& asking);

  /// Runs `work` as a turn.
  template <class F>
  void turn(F&& work) {
    completions_->begin_turn();
    work();
    finish_turn();
    completions_->end_turn();
  }

  /// Runs what one connection alone needs: whatever it throws closes that connection.
  template <class F>
  void serve(connection& one, F&& work) {
    try {
      work();
    } catch (const std::exception& error) {
      close_broken(one, error);
    }
  }

private:
  void run();
  void close_broken(connection& one, const std::exception& error);
  void finish_turn();
  void arm_sweep();
  void sweep();
  void shed_answers();

  server_state& state_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  boost::asio::steady_timer sweep_timer_;
  bool sweep_armed_ = false;
  std::shared_ptr<completion_queue> completions_;
  std::vector<completion> batch_;
  std::vector<std::shared_ptr<connection>> touched_;
  std::unordered_map<std::uint64_t, std::shared_ptr<connection>> connections_;
  std::uint64_t last_id_ = 0;
  std::size_t unsent_ = 0; ///< bytes of answers that clients have not taken
  std::vector<char> read_buffer_;
  std::string stream_piece_;
  std::string date_;
  std::chrono::system_clock::time_point date_of_;
  std::thread thread_;
};

} // namespace signalbox::http
