#include "adapters/store/sqlite/checkpointer.hpp"

#include <sqlite3.h>

#include <pthread.h>

namespace signalbox::sqlite {

checkpointer::checkpointer(connection& writer, const std::string& path,
                           const connection_settings& settings, struct settings limits)
  : writer_{writer}, database_{path, settings}, limits_{limits}, thread_{[this] { loop(); }} {
  sqlite3_wal_hook(writer_.handle(), note_commit, this);
}

checkpointer::~checkpointer() {
  stop();
}

void checkpointer::stop() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable())
    thread_.join();
  sqlite3_wal_hook(writer_.handle(), nullptr, nullptr);
}

int checkpointer::note_commit(void* self, sqlite3*, const char*, int log_pages) {
  auto& own = *static_cast<checkpointer*>(self);
  std::lock_guard lock{own.mutex_};
  if (log_pages < own.log_pages_)
    own.is_nearly_done_ = false; // the log has started over
  own.log_pages_ = log_pages;
  if (log_pages >= own.limits_.begin_pages && !own.has_work_) {
    own.has_work_ = true;
    own.wake_.notify_one();
  }
  return SQLITE_OK;
}

void checkpointer::finish_if_due() {
  {
    std::lock_guard lock{mutex_};
    if (!is_nearly_done_)
      return;
    is_nearly_done_ = false;
  }
  // Passive: if a reader still needs the log, it goes on growing, and this is tried again.
  sqlite3_wal_checkpoint_v2(writer_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

void checkpointer::loop() {
  ::pthread_setname_np(::pthread_self(), "store-log");
  std::unique_lock lock{mutex_};
  int copied = 0;
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || has_work_; });
    if (stopping_)
      return;
    // Not after every commit: only what has grown by a part worth a sync.
    const bool is_worth_it = log_pages_ < copied || log_pages_ - copied >= limits_.begin_pages;
    if (is_worth_it) {
      lock.unlock();
      int log_pages = 0;
      sqlite3_wal_checkpoint_v2(database_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &log_pages,
                                &copied);
      lock.lock();
      is_nearly_done_ = log_pages >= limits_.finish_pages;
    }
    has_work_ = false;
  }
}

} // namespace signalbox::sqlite
