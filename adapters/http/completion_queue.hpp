#pragma once

#include "adapters/http/response.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

namespace signalbox::http {

/// Asks a connection to go on reading the streamed body of a request.
struct resume_body {};

/// Gives a request an answer for the case that nobody else answers in time.
struct answer_deadline {
  std::chrono::steady_clock::time_point at;
  response late;
};

/// A stream has something for its connection.
struct stream_ready {};

using completion_event = std::variant<response, resume_body, answer_deadline, stream_ready>;

/// Something that another thread, or a handler, has for one connection of a loop.
struct completion {
  std::uint64_t connection = 0; ///< id within the loop; a connection that is gone ignores it
  std::uint64_t exchange = 0;   ///< which of the connection's requests
  completion_event event;
};

/// Brings completions from any thread to the loop's thread, many at a time: the loop is woken once
/// for all that arrive before it takes them.
class completion_queue {
public:
  /// `drain` runs on the thread of `context` whenever completions wait.
  completion_queue(boost::asio::io_context& context, std::function<void()> drain);

  /// Any thread. After `close`, drops what it gets.
  void push(completion item);

  /// Loop's thread: moves all waiting completions to the end of `into`.
  void take(std::vector<completion>& into);

  /// Loop's thread: while a turn runs, its own pushes need no wake-up because it takes them itself
  /// before it ends.
  void begin_turn();
  void end_turn();

  /// Any thread, before the io_context is destroyed.
  void close();

private:
  std::mutex mutex_;
  boost::asio::io_context* context_;
  std::function<void()> drain_;
  std::vector<completion> items_;
  std::thread::id turn_thread_;
  bool wake_pending_ = false;
};

} // namespace signalbox::http
