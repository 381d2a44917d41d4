#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <queue>
#include <vector>

namespace signalbox::sim {

class provider_connection;

/// Answers that wait: for their latency, or for the end of a stall. Lives on the I/O thread.
class postponed_answers {
public:
  explicit postponed_answers(const boost::asio::any_io_executor& executor) : timer_{executor} {}

  /// Sends the stream's answer after `latency`.
  void delay(std::shared_ptr<provider_connection> connection, std::int32_t stream_id,
             std::chrono::milliseconds latency);

  /// Keeps the stream's answer until `release_held`.
  void hold(std::shared_ptr<provider_connection> connection, std::int32_t stream_id);

  void release_held();

  /// Sends everything at once.
  void release_all();

private:
  using clock = std::chrono::steady_clock;

  struct waiting {
    clock::time_point due;
    std::shared_ptr<provider_connection> connection;
    std::int32_t stream_id;

    bool operator<(const waiting& other) const noexcept { return due > other.due; }
  };

  void arm();
  void release_until(clock::time_point limit);
  static void send(const std::vector<waiting>& batch);

  boost::asio::steady_timer timer_;
  clock::time_point armed_for_ = clock::time_point::max();
  std::priority_queue<waiting> delayed_;
  std::vector<waiting> held_;
};

} // namespace signalbox::sim
