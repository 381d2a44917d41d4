#include "adapters/http/completion_queue.hpp"

#include <boost/asio/post.hpp>

#include <iterator>
#include <utility>

namespace signalbox::http {

completion_queue::completion_queue(boost::asio::io_context& context, std::function<void()> drain)
  : context_(&context), drain_(std::move(drain)) {}

void completion_queue::push(completion item) {
  std::lock_guard guard{mutex_};
  if (context_ == nullptr)
    return;
  items_.push_back(std::move(item));
  if (wake_pending_ || turn_thread_ == std::this_thread::get_id())
    return;
  wake_pending_ = true;
  boost::asio::post(*context_, drain_);
}

void completion_queue::take(std::vector<completion>& into) {
  std::lock_guard guard{mutex_};
  wake_pending_ = false;
  if (into.empty()) {
    into.swap(items_);
  } else {
    std::move(items_.begin(), items_.end(), std::back_inserter(into));
    items_.clear();
  }
}

void completion_queue::begin_turn() {
  std::lock_guard guard{mutex_};
  turn_thread_ = std::this_thread::get_id();
}

void completion_queue::end_turn() {
  std::lock_guard guard{mutex_};
  turn_thread_ = {};
  // What another thread pushed after the last take of this turn has its own wake-up; what this
  // thread pushed has none.
  if (!items_.empty() && !wake_pending_ && context_ != nullptr) {
    wake_pending_ = true;
    boost::asio::post(*context_, drain_);
  }
}

void completion_queue::close() {
  std::vector<completion> dropped;
  std::lock_guard guard{mutex_};
  context_ = nullptr;
  dropped.swap(items_);
}

} // namespace signalbox::http
