#include "adapters/store/sqlite/readers.hpp"

#include "adapters/io/thread_error.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <pthread.h>
#include <span>
#include <utility>

namespace signalbox::sqlite {

namespace {

// Virtual machine instructions between two looks: few, since each may wait for a cold disk.
constexpr int look_every = 200;

constexpr std::array classes_of_pool{read_class::lanes, read_class::lookups, read_class::queries};
constexpr std::array classes_of_health{read_class::health};

bool is_asked_by_people(read_class where) {
  return where == read_class::lookups || where == read_class::queries;
}

// Who asked may not be able to take the answer: that must not end the thread, nor is there another.
bool run_task(const read_task& task, connection& database) {
  try {
    return task.run(database);
  } catch (const std::exception& error) {
    log_thread_error("store-reader", error);
    return true;
  }
}

void refuse_task(const read_task& task, errc code, std::string why) {
  try {
    task.refuse(code, std::move(why));
  } catch (const std::exception& error) {
    log_thread_error("store-reader", error);
  }
}

} // namespace

readers::readers(const std::string& path, const connection_settings& connections, settings settings)
  : settings_{settings}, most_queries_{std::max<std::size_t>(1, settings.threads / 2)} {
  auto own = connections;
  own.read_only = true;
  const auto pool = std::max<std::size_t>(2, settings.threads);
  for (std::size_t i = 0; i < pool + 1; ++i)
    places_.push_back(std::make_unique<place>(*this, path, own));
  for (std::size_t i = 0; i < places_.size(); ++i)
    threads_.emplace_back(
      [this, &at = *places_[i], for_health = i == pool] { loop(at, for_health); });
}

readers::~readers() {
  stop();
}

void readers::submit(read_class where, read_task task) {
  auto refused = errc::stopping;
  {
    std::lock_guard lock{mutex_};
    auto& queue = queues_[static_cast<std::size_t>(where)];
    const bool is_full = is_asked_by_people(where) && queue.size() >= settings_.most_waiting;
    if (!stopping_ && !is_full) {
      queue.push_back({std::move(task), clock::now() + settings_.query_limit});
      wake_one();
      return;
    }
    if (is_full)
      refused = errc::busy;
  }
  task.refuse(refused, refused == errc::busy ? "too many queries wait for the store"
                                             : "the store is closed");
}

bool readers::run_alone(std::chrono::milliseconds wait, bool lanes_too,
                        const std::function<void()>& work) {
  std::unique_lock lock{mutex_};
  closed_ = true;
  queries_give_way_ = true;
  lanes_give_way_ = lanes_too;
  const bool is_alone = idle_.wait_for(lock, wait, [this] { return running_ == 0; }) && !stopping_;
  if (is_alone) {
    lock.unlock();
    work();
    lock.lock();
  }
  closed_ = false;
  queries_give_way_ = lanes_give_way_ = false;
  wake_one();
  return is_alone;
}

void readers::hurry(std::chrono::milliseconds time) {
  last_end_ = clock::now() + time;
}

bool readers::is_past_last_end() const {
  const auto end = last_end_.load();
  return end != clock::time_point::max() && clock::now() >= end;
}

void readers::stop() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
    for (auto& each : places_)
      each->wake.notify_one();
  }
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
  for (auto& queue : queues_)
    for (auto& waiting : std::exchange(queue, {}))
      refuse_task(waiting.task, errc::stopping, "the store is closed");
}

bool readers::may_begin(read_class where) const {
  return !closed_ && !queues_[static_cast<std::size_t>(where)].empty() &&
         (where != read_class::queries || running_queries_ < most_queries_);
}

bool readers::take(waiting_task& next, read_class& where, bool for_health) {
  const auto classes = for_health ? std::span<const read_class>{classes_of_health}
                                  : std::span<const read_class>{classes_of_pool};
  const auto found =
    std::find_if(classes.begin(), classes.end(), [this](auto each) { return may_begin(each); });
  if (found == classes.end())
    return false;
  where = *found;
  auto& queue = queues_[static_cast<std::size_t>(where)];
  next = std::move(queue.front());
  queue.pop_front();
  return true;
}

// One thread of the pool for all that may begin: it wakes the next one when it has taken its own.
void readers::wake_one() {
  if (may_begin(read_class::health))
    places_.back()->wake.notify_one();
  if (resting_.empty() || std::none_of(classes_of_pool.begin(), classes_of_pool.end(),
                                       [this](auto each) { return may_begin(each); }))
    return;
  resting_.back()->wake.notify_one();
  resting_.pop_back();
}

void readers::loop(place& at, bool for_health) {
  ::pthread_setname_np(::pthread_self(), "store-reader");
  sqlite3_progress_handler(at.database.handle(), look_every, look, &at);
  std::unique_lock lock{mutex_};
  for (;;) {
    waiting_task next;
    while (!stopping_ && !take(next, at.reads, for_health)) {
      if (!for_health)
        resting_.push_back(&at);
      at.wake.wait(lock);
      std::erase(resting_, &at);
    }
    if (!next.task.run)
      return;
    wake_one();
    const bool is_query = at.reads == read_class::queries;
    ++running_;
    running_queries_ += is_query ? 1 : 0;
    lock.unlock();
    at.end = next.end;
    at.interrupted = interruption::none;
    if (is_past_last_end())
      at.interrupted = interruption::stopping;
    else if (is_asked_by_people(at.reads) && clock::now() >= next.end)
      at.interrupted = interruption::too_long;
    const bool answered = at.interrupted == interruption::none && run_task(next.task, at.database);
    if (!answered && at.interrupted == interruption::stopping)
      refuse_task(next.task, errc::stopping, "the store is closed");
    else if (!answered && at.interrupted != interruption::again)
      refuse_late(next);
    const bool again = !answered && at.interrupted == interruption::again;
    if (!again)
      next = {};
    lock.lock();
    --running_;
    running_queries_ -= is_query ? 1 : 0;
    if (again)
      queues_[static_cast<std::size_t>(at.reads)].push_front(std::move(next));
    if (running_ == 0)
      idle_.notify_all();
  }
}

void readers::refuse_late(const waiting_task& late) const {
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(settings_.query_limit);
  refuse_task(late.task, errc::busy,
              "the query took longer than " + (limit.count() % 1'000 == 0
                                                 ? std::to_string(limit.count() / 1'000) + " s"
                                                 : std::to_string(limit.count()) + " ms"));
}

// In the thread whose statement it may end.
int readers::look(void* of) {
  auto& at = *static_cast<place*>(of);
  const bool is_asked = is_asked_by_people(at.reads);
  const auto& pool = at.pool;
  if (pool.stopping_ || pool.is_past_last_end())
    at.interrupted = interruption::stopping;
  else if (is_asked ? pool.queries_give_way_.load() : pool.lanes_give_way_.load())
    at.interrupted = interruption::again;
  else if (is_asked && clock::now() >= at.end)
    at.interrupted = interruption::too_long;
  return at.interrupted == interruption::none ? 0 : 1;
}

snapshot::~snapshot() {
  // Nothing was written: whatever ends it is right.
  sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

} // namespace signalbox::sqlite
