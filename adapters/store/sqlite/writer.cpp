#include "adapters/store/sqlite/writer.hpp"

#include "adapters/io/thread_error.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <pthread.h>
#include <utility>
#include <vector>

namespace signalbox::sqlite {

namespace {

/// Who asked may not be able to take the answer: that must not cost others theirs.
template <class Operation>
void tell(Operation& operation, const write_status& status) {
  try {
    operation.done(status);
  } catch (const std::exception& error) {
    log_thread_error("store-writer", error);
  }
}

} // namespace

writer::writer(connection& database, settings settings)
  : database_{database}, settings_{std::move(settings)}, thread_{[this] { loop(); }} {}

writer::~writer() {
  stop();
}

void writer::submit(write_class where, write_operation operation) {
  {
    std::lock_guard lock{mutex_};
    if (!stopping_) {
      operations_[static_cast<std::size_t>(where)].push_back(std::move(operation));
      wake_.notify_one();
      return;
    }
  }
  operation.done({errc::stopping, "the store is closed"});
}

void writer::submit(import_operation import) {
  {
    std::lock_guard lock{mutex_};
    if (!stopping_) {
      imports_.push_back(std::move(import));
      wake_.notify_one();
      return;
    }
  }
  import.done({errc::stopping, "the store is closed"});
}

bool writer::is_idle() const {
  std::lock_guard lock{mutex_};
  return !running_ && !has_work();
}

void writer::stop() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable())
    thread_.join();
}

bool writer::has_operation() const {
  return !operations_[0].empty() || !operations_[1].empty();
}

bool writer::has_work() const {
  return has_operation() || !imports_.empty();
}

void writer::loop() {
  ::pthread_setname_np(::pthread_self(), "store-writer");
  std::unique_lock lock{mutex_};
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || has_work(); });
    if (stopping_)
      break;
    running_ = true;
    // Operations and imports in turn, so that neither waits for more than one transaction of the
    // other.
    const bool imports = !imports_.empty() && (imports_next_ || !has_operation());
    imports_next_ = !imports;
    auto operations = imports ? std::vector<write_operation>{} : take_operations();
    lock.unlock();
    try {
      imports ? run_imports() : run_together(operations);
    } catch (const std::exception& error) {
      log_thread_error("store-writer", error);
    }
    lock.lock();
    if (settings_.between) {
      lock.unlock();
      settings_.between();
      lock.lock();
    }
    running_ = false;
  }
  lock.unlock();
  refuse_queued();
}

std::vector<write_operation> writer::take_operations() {
  std::vector<write_operation> taken;
  for (auto& queue : operations_)
    if (!queue.empty()) {
      taken.push_back(std::move(queue.front()));
      queue.pop_front();
    }
  return taken;
}

void writer::run_together(std::span<write_operation> operations) {
  const bool full = std::any_of(operations.begin(), operations.end(),
                                [](const auto& each) { return each.sync == durability::full; });
  std::vector<write_status> own(operations.size());
  std::size_t done = 0;
  const auto status =
    attempt(full ? durability::full : durability::normal, [&](connection& database) {
      // When the first one fails, nothing else was done: it needs no savepoint.
      operations.front().run(database);
      for (done = 1; done < operations.size(); ++done)
        own[done] = run_within(operations[done]);
    });
  if (done == 0) {
    tell(operations.front(), status);
    if (operations.size() > 1)
      run_together(operations.subspan(1));
    return;
  }
  for (std::size_t i = 0; i < operations.size(); ++i)
    tell(operations[i], status.ok() ? own[i] : status);
}

write_status writer::run_within(write_operation& operation) {
  database_.execute("SAVEPOINT operation");
  write_status own;
  try {
    operation.run(database_);
  } catch (const failure& error) {
    if (!database_.in_transaction())
      throw; // SQLite has rolled back the whole transaction
    own = {to_errc(error.code()), error.what()};
  } catch (const std::exception& error) {
    own = {errc::internal, error.what()};
  }
  if (!own.ok()) {
    database_.execute("ROLLBACK TO operation");
    note_rollback();
  }
  database_.execute("RELEASE operation");
  return own;
}

void writer::note_rollback() {
  if (settings_.rolled_back)
    settings_.rolled_back();
}

void writer::run_imports() {
  std::vector<std::pair<import_operation, write_status>> finished;
  std::vector<import_operation> begun;
  const time_slice slice{std::chrono::steady_clock::now() + settings_.import_slice};
  const auto status = attempt(durability::full, [&](connection& database) {
    do {
      import_operation import;
      {
        std::lock_guard lock{mutex_};
        if (imports_.empty())
          return;
        import = std::move(imports_.front());
        imports_.pop_front();
      }
      database.execute("SAVEPOINT import");
      write_status own;
      bool is_finished = true;
      try {
        is_finished = import.step(database, slice);
      } catch (const failure& error) {
        own = {errc::invalid, error.what()};
        if (error.code() != SQLITE_CONSTRAINT) { // not its own fault
          finished.emplace_back(std::move(import), std::move(own));
          throw;
        }
      } catch (const std::exception& error) {
        own = {errc::internal, error.what()};
      }
      if (!own.ok()) {
        database.execute("ROLLBACK TO import");
        note_rollback();
      }
      database.execute("RELEASE import");
      if (is_finished || !own.ok())
        finished.emplace_back(std::move(import), std::move(own));
      else
        begun.push_back(std::move(import));
    } while (!slice.is_over());
  });
  for (auto& [import, own] : finished)
    tell(import, status.ok() ? own : status);
  if (!status.ok()) {
    for (auto& import : begun)
      tell(import, status);
    return;
  }
  for (const auto& import : begun)
    if (import.goes_on)
      import.goes_on();
  std::lock_guard lock{mutex_};
  for (auto& import : begun)
    imports_.push_back(std::move(import));
}

write_status writer::attempt(durability sync, const std::function<void(connection&)>& body) {
  try {
    set_durability(sync);
    database_.execute("BEGIN IMMEDIATE");
    body(database_);
    if (settings_.fault) {
      if (const int code = settings_.fault(); code != SQLITE_OK)
        throw failure{code, "injected fault"};
    }
    database_.execute("COMMIT");
    settings_.committed();
    return {};
  } catch (const failure& error) {
    if (sqlite3_get_autocommit(database_.handle()) == 0)
      sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    note_rollback();
    return {to_errc(error.code()), error.what()};
  } catch (const std::exception& error) {
    if (sqlite3_get_autocommit(database_.handle()) == 0)
      sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    note_rollback();
    return {errc::internal, error.what()};
  }
}

void writer::set_durability(durability sync) {
  if (sync == sync_)
    return;
  database_.run(sync == durability::full ? "PRAGMA synchronous = FULL"
                                         : "PRAGMA synchronous = NORMAL");
  sync_ = sync;
}

void writer::refuse_queued() {
  const write_status status{errc::stopping, "the store is closed"};
  for (auto& queue : operations_) {
    for (auto& operation : queue)
      tell(operation, status);
    queue.clear();
  }
  for (auto& import : imports_)
    tell(import, status);
  imports_.clear();
}

} // namespace signalbox::sqlite
