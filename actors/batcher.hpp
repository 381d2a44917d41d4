#pragma once

#include "messages/work.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace signalbox {

struct batch_rules {
  std::size_t size = 1'000; ///< weight from which a batch is due and nothing more is received
  /// How long the first item of a batch waits for others; 0: not at all.
  std::chrono::milliseconds interval{20};
  std::chrono::milliseconds retry_min{50}; ///< wait after a failure, doubled up to retry_max
  std::chrono::milliseconds retry_max{2'000};
};

/// When what was collected is written, and in which order: the one rule for jobs, outcomes and
/// leases. Items leave in the order they came in. One batch is under way at a time; what of it
/// failed is tried again alone, before anything newer. Pure: the owner moves time and does the
/// writing.
template <class Item>
class batcher {
public:
  using time_point = boot_clock::time_point;

  explicit batcher(batch_rules rules) : rules_(rules) {}

  /// Whether the owner should receive more: not from the batch size on, so that what cannot be
  /// written stays where it is bounded.
  bool has_room() const { return weight_ < rules_.size; }

  void add(Item item, time_point now, std::size_t weight = 1) {
    if (waiting_.empty())
      oldest_ = now;
    waiting_.push_back(std::move(item));
    weight_ += weight;
  }

  /// What waits is due at once.
  void press() { pressed_ = !waiting_.empty(); }

  /// From now on everything is due at once: the last flush of a stop.
  void close() { closing_ = true; }

  /// The batch to write now; empty when none is due or one is under way.
  std::vector<Item> next(time_point now) {
    const auto at = due_at();
    if (!at || now < *at)
      return {};
    under_way_ = true;
    if (!failed_.empty())
      return std::exchange(failed_, {});
    weight_ = 0;
    pressed_ = false;
    return std::exchange(waiting_, {});
  }

  /// When `next` gives a batch if nothing else happens; none: not before something does.
  std::optional<time_point> due_at() const {
    if (under_way_)
      return std::nullopt;
    if (!failed_.empty())
      return retry_at_;
    if (waiting_.empty())
      return std::nullopt;
    return closing_ || pressed_ || !has_room() ? oldest_ : oldest_ + rules_.interval;
  }

  /// The batch under way is written.
  void succeeded() {
    under_way_ = false;
    retry_delay_ = {};
  }

  /// `left` of the batch under way, in its order, is not written. Answers how long it waits.
  std::chrono::milliseconds failed(std::vector<Item> left, time_point now) {
    under_way_ = false;
    failed_ = std::move(left);
    retry_delay_ = std::clamp(retry_delay_ * 2, rules_.retry_min, rules_.retry_max);
    retry_at_ = now + retry_delay_;
    return retry_delay_;
  }

  bool is_empty() const { return !under_way_ && failed_.empty() && waiting_.empty(); }
  bool is_under_way() const { return under_way_; }

private:
  batch_rules rules_;
  std::vector<Item> waiting_;
  std::size_t weight_ = 0; ///< of what waits
  time_point oldest_;      ///< when the first of what waits came in
  bool pressed_ = false;
  bool closing_ = false;
  bool under_way_ = false;
  std::vector<Item> failed_;
  std::chrono::milliseconds retry_delay_{0};
  time_point retry_at_;
};

} // namespace signalbox
