#pragma once

#include "adapters/http/completion_queue.hpp"
#include "adapters/http/response.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::http {

/// The requests of one connection whose answers have not been written yet, in the order of the
/// requests. Answers come in any order and leave in this one.
class answer_queue {
public:
  /// Adds a request; answers its number.
  std::uint64_t open(const framing& frame);

  /// The first answer to a request counts; one to a request that is not there is dropped.
  void answer(std::uint64_t number, response reply);
  /// Makes the request's answer the last of the connection.
  void close_after(std::uint64_t number);
  void set_deadline(std::uint64_t number, answer_deadline deadline);
  /// Gives those whose deadline has passed their late answer; true if there was one.
  bool answer_late(std::chrono::steady_clock::time_point now);

  /// A stream whose turn has come.
  struct open_stream {
    std::uint64_t number = 0; ///< of its request
    framing frame;
    std::shared_ptr<body_stream> body{};
  };

  /// Appends answers whose turn has come to `out`, until it has `enough` bytes, up to and including
  /// one that closes the connection; true if there was one. With `finish`, the answer that empties
  /// the queue does. One with a stream always does, and has `stream` go on after it.
  bool write_ready(std::string_view date, bool finish, std::size_t enough, std::string& out,
                   std::optional<open_stream>& stream);
  /// Whether the turn of an answer has come.
  bool has_ready() const { return !exchanges_.empty() && exchanges_.front().answer; }

  /// Of the answers that are here but wait for their turn.
  std::size_t bytes() const { return bytes_; }
  /// How many of the requests only read.
  std::size_t reads() const { return reads_; }
  std::size_t size() const { return exchanges_.size(); }
  bool empty() const { return exchanges_.empty(); }
  /// The number of the request whose answer is the next to be written.
  std::uint64_t first() const { return first_; }
  /// The number of the request that was opened last.
  std::uint64_t last() const { return first_ + exchanges_.size() - 1; }

private:
  struct exchange {
    framing frame;
    std::optional<response> answer{};
    std::optional<answer_deadline> deadline{};
  };

  exchange* find(std::uint64_t number);

  std::deque<exchange> exchanges_;
  std::uint64_t first_ = 0;
  std::size_t bytes_ = 0;
  std::size_t reads_ = 0;
};

} // namespace signalbox::http
