#include "adapters/store/sqlite/readers.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <pthread.h>
#include <utility>

namespace signalbox::sqlite {

readers::readers(const std::string& path, const connection_settings& settings, std::size_t threads)
  : most_queries_{std::max<std::size_t>(1, threads / 2)} {
  auto own = settings;
  own.read_only = true;
  for (std::size_t i = 0; i < std::max<std::size_t>(2, threads); ++i)
    connections_.push_back(std::make_unique<connection>(path, own));
  for (auto& database : connections_)
    threads_.emplace_back([this, &database = *database] { loop(database); });
}

readers::~readers() {
  stop();
}

void readers::submit(read_class where, task run) {
  {
    std::lock_guard lock{mutex_};
    if (!stopping_) {
      queues_[static_cast<std::size_t>(where)].push_back(std::move(run));
      wake_.notify_one();
      return;
    }
  }
  run(nullptr);
}

snapshot::~snapshot() {
  // Nothing was written: whatever ends it is right.
  sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void readers::stop() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
    wake_.notify_all();
  }
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
  for (auto& queue : queues_) {
    for (auto& task : queue)
      task(nullptr);
    queue.clear();
  }
}

bool readers::take(task& next, bool& is_query) {
  for (const auto where : {read_class::lanes, read_class::queries}) {
    is_query = where == read_class::queries;
    auto& queue = queues_[static_cast<std::size_t>(where)];
    if (queue.empty() || (is_query && running_queries_ >= most_queries_))
      continue;
    next = std::move(queue.front());
    queue.pop_front();
    return true;
  }
  return false;
}

void readers::loop(connection& database) {
  ::pthread_setname_np(::pthread_self(), "store-reader");
  std::unique_lock lock{mutex_};
  for (;;) {
    task next;
    bool is_query = false;
    wake_.wait(lock, [&] { return stopping_ || take(next, is_query); });
    if (!next)
      return;
    running_queries_ += is_query ? 1 : 0;
    lock.unlock();
    next(&database);
    next = nullptr;
    lock.lock();
    if (is_query) {
      --running_queries_;
      wake_.notify_one(); // a query may have waited for its turn
    }
  }
}

} // namespace signalbox::sqlite
