#include "adapters/store/sqlite/checkpointer.hpp"

#include <sqlite3.h>

#include <pthread.h>
#include <utility>

namespace signalbox::sqlite {

namespace {

constexpr int last_wait_ms = 1'000;

} // namespace

checkpointer::checkpointer(connection& writer, const std::string& path,
                           const connection_settings& settings, struct settings limits)
  : writer_{writer}, database_{path, settings}, busy_timeout_ms_{static_cast<int>(
                                                  settings.busy_timeout.count())},
    limits_{std::move(limits)}, next_cut_{limits_.cut_pages}, thread_{[this] { loop(); }} {
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
  if (log_pages < own.log_pages_) { // the log has started over
    own.is_nearly_done_ = false;
    own.cut_ = cut::none;
    own.next_cut_ = own.limits_.cut_pages;
  }
  own.log_pages_ = log_pages;
  if (log_pages >= own.limits_.begin_pages && !own.has_work_ && own.cut_ != cut::ready) {
    own.has_work_ = true;
    own.wake_.notify_one();
  }
  return SQLITE_OK;
}

void checkpointer::finish_if_due() {
  if (cut_if_due())
    return;
  {
    std::lock_guard lock{mutex_};
    if (!is_nearly_done_)
      return;
    is_nearly_done_ = false;
  }
  // Passive: if a reader still needs the log, it goes on growing, and this is tried again.
  sqlite3_wal_checkpoint_v2(writer_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

bool checkpointer::cut_if_due() {
  std::unique_lock lock{mutex_};
  const bool is_last = log_pages_ >= limits_.last_pages;
  if (log_pages_ < next_cut_ || (cut_ == cut::copying && !is_last))
    return false;
  const bool is_ready = cut_ == cut::ready || is_last;
  lock.unlock();
  const bool went_on = is_ready ? truncate(is_last) : limits_.without_readers(false, [] {});
  lock.lock();
  if (!went_on) {
    cut_ = cut::none;
    next_cut_ = log_pages_ + limits_.again_pages;
  } else if (is_ready) {
    cut_ = cut::none;
    log_pages_ = 0;
    is_nearly_done_ = false;
  } else {
    cut_ = cut::copying;
    has_work_ = true;
    wake_.notify_one();
  }
  return true;
}

bool checkpointer::truncate(bool is_last) {
  int result = SQLITE_BUSY;
  limits_.without_readers(is_last, [&] {
    // Programs beside the node may read, too: commits wait for those, and for the thread's copying,
    // only in the end.
    sqlite3_busy_timeout(writer_.handle(), is_last ? last_wait_ms : 0);
    result = sqlite3_wal_checkpoint_v2(writer_.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                       nullptr, nullptr);
    sqlite3_busy_timeout(writer_.handle(), busy_timeout_ms_);
  });
  return result == SQLITE_OK;
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
    const bool is_worth_it =
      log_pages_ < copied || log_pages_ - copied >= limits_.begin_pages || cut_ == cut::copying;
    if (is_worth_it) {
      lock.unlock();
      int log_pages = 0;
      sqlite3_wal_checkpoint_v2(database_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &log_pages,
                                &copied);
      lock.lock();
      is_nearly_done_ = log_pages >= limits_.finish_pages;
      // The pass may have begun before readers took newer snapshots; what is left, commits wait
      // for.
      if (cut_ == cut::copying)
        cut_ = log_pages_ - copied < limits_.finish_pages / 2 ? cut::ready : cut::none;
    }
    has_work_ = false;
  }
}

} // namespace signalbox::sqlite
