#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace signalbox {

/// What a subscriber hears of one thing, as the client gets it.
struct live_event {
  std::string about;   ///< a newer event about the same takes this one's place while it waits
  bool final = false;  ///< the last one about it
  bool narrow = false; ///< only for those who watch just this
  std::shared_ptr<const std::string> text;
};

/// What all subscriptions have come to. Any thread.
struct subscription_counters {
  std::atomic<std::int64_t> open{0};
  std::atomic<std::uint64_t> sent{0};
  std::atomic<std::uint64_t> dropped{0}; ///< a newer one took the place, or there was no room
  std::atomic<std::uint64_t> closed{
    0}; ///< streams that were ended because a final event found no room
};

/// One subscriber's events on their way from the broadcaster to a connection. What waits is bounded
/// in bytes: a slow subscriber loses intermediate events, and where a final one finds no room its
/// stream ends, so that it comes again and catches up. Thread-safe.
class subscription {
public:
  subscription(std::size_t most_bytes, std::shared_ptr<subscription_counters> counters);
  ~subscription();

  subscription(const subscription&) = delete;
  subscription& operator=(const subscription&) = delete;

  // The broadcaster's end:
  /// What comes first, before all that is pushed; once. Not bounded here: others may share it.
  void begin_with(std::shared_ptr<const std::vector<live_event>> first);
  /// False if nobody takes it any more.
  bool push(const live_event& event);
  /// `text` is sent if nothing else waits. False if nobody takes it any more.
  bool keep_alive(const std::shared_ptr<const std::string>& text);
  /// Nothing more will come: the stream ends with what waits.
  void finish();

  // The connection's end:
  /// `ready` is called from then on when something waits, or the end has come, and `take` has not
  /// been called since.
  void listen(std::function<void()> ready);
  /// Appends what waits, until `room` bytes were appended; false: the end has come.
  bool take(std::size_t room, std::string& out);
  /// Nobody takes it any more.
  void close();

private:
  bool is_empty() const { return waiting_.empty() && next_ == (first_ ? first_->size() : 0); }
  void make_room(std::size_t bytes);
  void notify(std::unique_lock<std::mutex> lock);

  const std::size_t most_bytes_;
  const std::shared_ptr<subscription_counters> counters_;
  std::mutex mutex_;
  std::shared_ptr<const std::vector<live_event>> first_;
  std::size_t next_ = 0; ///< of first_
  std::deque<live_event> waiting_;
  std::size_t bytes_ = 0;
  std::function<void()> ready_;
  bool told_ = false; ///< `ready_` was called since the last take
  bool finished_ = false;
  bool closed_ = false;
};

} // namespace signalbox
