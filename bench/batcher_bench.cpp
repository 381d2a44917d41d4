// What batching costs: rows a second through the batcher and the store's writer thread, in batches
// of 1,000, beside a plain loop of prepared inserts with a transaction for every 1,000 rows, on the
// same database in the same run, in turn.
//
//   batcher_bench [rows] [folder]    (default: 500,000 in the system's temporary folder)

#include "actors/batcher.hpp"
#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/writer.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

using namespace signalbox;
using wall = std::chrono::steady_clock;

constexpr std::size_t batch_size = 1'000;
constexpr int pairs = 5;

struct row {
  std::int64_t token = 0;
  int status = 0;
  std::string reason;
};

row make_row(std::int64_t n) {
  return {n, static_cast<int>(n % 5 + 1), "Unregistered"};
}

void insert(sqlite::connection& database, std::int64_t run, const row& one) {
  database.execute("INSERT INTO rows(run, token, status, reason) VALUES(?, ?, ?, ?)", run,
                   one.token, one.status, std::string_view{one.reason});
}

double rate(std::int64_t rows, wall::time_point began) {
  return static_cast<double>(rows) / std::chrono::duration<double>(wall::now() - began).count();
}

double plain_loop(sqlite::connection& database, std::int64_t run, std::int64_t rows) {
  const auto began = wall::now();
  for (std::int64_t n = 0; n < rows;) {
    database.execute("BEGIN IMMEDIATE");
    for (std::size_t i = 0; i < batch_size && n < rows; ++i, ++n)
      insert(database, run, make_row(n));
    database.execute("COMMIT");
  }
  return rate(rows, began);
}

double through_batcher(sqlite::writer& writer, std::int64_t run, std::int64_t rows) {
  const auto began = wall::now();
  batcher<row> batch{{.size = batch_size}};
  std::mutex mutex;
  std::condition_variable written;
  bool done = false;
  for (std::int64_t n = 0; n < rows || !batch.is_empty();) {
    while (n < rows && batch.has_room())
      batch.add(make_row(n++), boot_clock::now());
    if (n == rows)
      batch.close();
    auto next = std::make_shared<std::vector<row>>(batch.next(boot_clock::now()));
    if (next->empty()) {
      std::unique_lock lock{mutex};
      written.wait(lock, [&] { return std::exchange(done, false); });
      batch.succeeded();
      continue;
    }
    writer.submit(sqlite::write_class::lanes, {sqlite::durability::full,
                                               [next, run](sqlite::connection& database) {
                                                 for (const auto& one : *next)
                                                   insert(database, run, one);
                                               },
                                               [&](const sqlite::write_status& status) {
                                                 if (!status.ok()) {
                                                   std::fprintf(stderr, "%s\n",
                                                                status.message.c_str());
                                                   std::exit(1);
                                                 }
                                                 std::lock_guard lock{mutex};
                                                 done = true;
                                                 written.notify_one();
                                               }});
  }
  return rate(rows, began);
}

} // namespace

int main(int argc, char** argv) {
  const std::int64_t rows = argc > 1 ? std::atoll(argv[1]) : 500'000;
  const std::filesystem::path parent =
    argc > 2 ? std::filesystem::path{argv[2]} : std::filesystem::temp_directory_path();
  const auto folder = parent / ("signalbox-batcher-bench-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::vector<double> ratios;
  {
    sqlite::connection plain{(folder / "bench.db").string(), {}};
    sqlite::connection written{(folder / "bench.db").string(), {}};
    plain.run("CREATE TABLE rows(run INTEGER, token INTEGER, status INTEGER, reason TEXT, "
              "PRIMARY KEY(run, token)) WITHOUT ROWID");
    sqlite::writer writer{written, {}};
    std::int64_t run = 0;
    plain_loop(plain, ++run, rows / 4);
    std::printf("%4s %14s %16s %6s\n", "pair", "plain rows/s", "batcher rows/s", "ratio");
    for (int pair = 1; pair <= pairs; ++pair) {
      const auto peer = plain_loop(plain, ++run, rows);
      const auto own = through_batcher(writer, ++run, rows);
      ratios.push_back(own / peer);
      std::printf("%4d %14.0f %16.0f %6.3f\n", pair, peer, own, own / peer);
      std::fflush(stdout);
    }
    writer.stop();
  }
  std::filesystem::remove_all(folder);
  std::sort(ratios.begin(), ratios.end());
  std::printf("median: %.3f of the plain loop, batches of %zu\n", ratios[pairs / 2], batch_size);
  std::printf("One thread writes in both: SQLite's inserts and syncs are the limit.\n");
}
