#include "messages/subscription.hpp"

#include <algorithm>
#include <utility>

namespace signalbox {

subscription::subscription(std::size_t most_bytes, std::shared_ptr<subscription_counters> counters)
  : most_bytes_{most_bytes}, counters_{std::move(counters)} {
  ++counters_->open;
}

subscription::~subscription() {
  --counters_->open;
}

void subscription::begin_with(std::shared_ptr<const std::vector<live_event>> first) {
  std::unique_lock lock{mutex_};
  if (closed_)
    return;
  first_ = std::move(first);
  if (!is_empty())
    notify(std::move(lock));
}

bool subscription::push(const live_event& event) {
  std::unique_lock lock{mutex_};
  if (closed_ || finished_)
    return false;
  const auto older = std::find_if(waiting_.begin(), waiting_.end(), [&](const live_event& each) {
    return !each.about.empty() && each.about == event.about;
  });
  if (older != waiting_.end()) {
    bytes_ -= older->text->size();
    waiting_.erase(older);
    ++counters_->dropped;
  }
  make_room(event.text->size());
  if (bytes_ + event.text->size() > most_bytes_) {
    ++counters_->dropped;
    if (!event.final)
      return true;
    ++counters_->closed;
    finished_ = true;
    notify(std::move(lock));
    return false;
  }
  bytes_ += event.text->size();
  waiting_.push_back(event);
  notify(std::move(lock));
  return true;
}

bool subscription::keep_alive(const std::shared_ptr<const std::string>& text) {
  std::unique_lock lock{mutex_};
  if (closed_ || finished_)
    return false;
  if (!is_empty())
    return true;
  bytes_ += text->size();
  waiting_.push_back({{}, false, false, text});
  notify(std::move(lock));
  return true;
}

void subscription::finish() {
  std::unique_lock lock{mutex_};
  finished_ = true;
  notify(std::move(lock));
}

void subscription::listen(std::function<void()> ready) {
  std::unique_lock lock{mutex_};
  ready_ = std::move(ready);
  if (!is_empty() || finished_)
    notify(std::move(lock));
}

bool subscription::take(std::size_t room, std::string& out) {
  std::lock_guard lock{mutex_};
  told_ = false;
  while (first_ && out.size() < room) {
    if (next_ == first_->size()) {
      first_.reset();
      next_ = 0;
      break;
    }
    out += *(*first_)[next_++].text;
    ++counters_->sent;
  }
  while (!waiting_.empty() && out.size() < room) {
    bytes_ -= waiting_.front().text->size();
    out += *waiting_.front().text;
    waiting_.pop_front();
    ++counters_->sent;
  }
  return !(finished_ && is_empty());
}

void subscription::close() {
  std::lock_guard lock{mutex_};
  closed_ = true;
  waiting_.clear();
  first_.reset();
  ready_ = nullptr;
}

// Intermediate events go, the oldest first.
void subscription::make_room(std::size_t bytes) {
  for (auto each = waiting_.begin(); each != waiting_.end() && bytes_ + bytes > most_bytes_;) {
    if (each->final) {
      ++each;
      continue;
    }
    bytes_ -= each->text->size();
    each = waiting_.erase(each);
    ++counters_->dropped;
  }
}

void subscription::notify(std::unique_lock<std::mutex> lock) {
  if (!ready_ || std::exchange(told_, true))
    return;
  const auto ready = ready_;
  lock.unlock();
  ready();
}

} // namespace signalbox
