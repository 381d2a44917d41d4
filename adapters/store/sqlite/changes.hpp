#pragma once

#include "actors/ports/change_feed.hpp"
#include "adapters/store/sqlite/connection.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_set>
#include <vector>

namespace signalbox::sqlite {

/// Rows of jobs and activities that transactions have changed, while somebody watches.
class change_notes {
public:
  /// Rows that are remembered at a time, of each kind.
  static constexpr std::size_t most = 20'000;

  struct taken {
    std::vector<std::int64_t> jobs;
    std::vector<std::int64_t> activities;
    bool more = false;
    bool lost = false;
  };

  /// Any thread.
  void watch(bool on);
  taken take(std::size_t limit);
  /// Nobody was told of it.
  void put_back(const taken& some);

  // The writer's thread:
  /// Has every change of a row of `jobs` and `activities` noted.
  void listen_to(connection& writer);
  /// A job whose chunks changed, and not its row.
  void note_job(std::int64_t job);
  /// Between two transactions: what the last one changed can be read from now on.
  void publish();

private:
  struct rows {
    std::unordered_set<std::int64_t> jobs;
    std::unordered_set<std::int64_t> activities;
  };

  static void hear(void* self, int operation, const char* database, const char* table,
                   long long row);

  void bound();

  std::atomic<bool> watched_{false};
  rows changing_; ///< by the transaction that is under way
  std::mutex mutex_;
  rows changed_;
  bool lost_ = false;
};

/// The views of what was taken and is wanted.
change_set read_changes(connection& database, const change_notes::taken& taken,
                        const change_filter& filter, timestamp now);

/// change_feed::list_recent.
change_set read_recent(connection& database, timestamp since, std::size_t limit, timestamp now);

} // namespace signalbox::sqlite
