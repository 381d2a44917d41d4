// What the SQLite store costs: commits of small jobs against a bare loop that inserts the same
// rows, planning + claiming + loading of a topic, and flushes of about 700 outcomes.
//
//   store_bench [targets] [folder]    (default: 1,000,000 in the system's temporary folder)
//
// Ratios count, not figures: compare on one machine in one run.

#include "adapters/store/sqlite/sqlite_store.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace signalbox;
using wall = std::chrono::steady_clock;

constexpr std::size_t group_size = 64;
constexpr int users = 10'000;
constexpr destination apns{default_app, platform::apns, environment::production};

template <class T>
T await(const std::function<void(callback<T>)>& call) {
  std::promise<result<T>> promise;
  auto answer = promise.get_future();
  call([&](result<T> value) { promise.set_value(std::move(value)); });
  auto got = answer.get();
  if (!got.ok()) {
    std::fprintf(stderr, "%s\n", got.message.c_str());
    std::exit(1);
  }
  return std::move(got.value);
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) { return time.tv_sec + time.tv_usec * 1e-6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Wall clock and CPU of a stretch.
class stretch {
public:
  double wall_us() const {
    return std::chrono::duration<double, std::micro>(wall::now() - began_).count();
  }
  double cpu_us() const { return (cpu_seconds() - cpu_) * 1e6; }

private:
  wall::time_point began_ = wall::now();
  double cpu_ = cpu_seconds();
};

timestamp now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string token_text(int number) {
  char text[65];
  std::snprintf(text, sizeof text, "%064x", number * 2654435761u);
  return text;
}

void check(int code, sqlite3* database) {
  if (code != SQLITE_OK && code != SQLITE_DONE) {
    std::fprintf(stderr, "%s\n", sqlite3_errmsg(database));
    std::exit(1);
  }
}

// The rows that the store writes for a taken job, inserted with nothing around them.
double bare_loop(const std::string& path, std::size_t groups, double& cpu) {
  sqlite3* database = nullptr;
  check(sqlite3_open(path.c_str(), &database), database);
  const auto run = [&](const char* sql) {
    check(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), database);
  };
  run("PRAGMA synchronous = FULL");
  run("PRAGMA foreign_keys = ON");
  sqlite3_stmt* job = nullptr;
  sqlite3_stmt* chunk = nullptr;
  check(sqlite3_prepare_v2(
          database,
          "INSERT INTO jobs(n, id, app, lane, status, plan_done, planned, next_seq, total, "
          "scope_kind, scope_id, scope_name, receipts, on_unknown, created_at, payload) "
          "VALUES(?, ?, 1, 1, 3, 1, 1, 1, 1, 2, ?, ?, 1, 1, ?, ?)",
          -1, &job, nullptr),
        database);
  check(sqlite3_prepare_v2(database,
                           "INSERT INTO chunks(job, seq, status, lane, app, pool, targets, owner, "
                           "epoch, lease_expires_at, ids) "
                           "VALUES(?, 0, 2, 1, 1, 17, 1, 1, ?, ?, x'8f4e')",
                           -1, &chunk, nullptr),
        database);
  const std::string payload(300, 'x');
  static sqlite3_int64 n = 10'000'000;
  const stretch time;
  for (std::size_t group = 0; group < groups; ++group) {
    run("BEGIN IMMEDIATE");
    for (std::size_t i = 0; i < group_size; ++i) {
      const auto id = make_uuid_v7(now());
      const int user = static_cast<int>(++n * 7919 % users);
      const auto name = "user" + std::to_string(user);
      const auto ms = now().time_since_epoch().count();
      sqlite3_bind_int64(job, 1, n);
      sqlite3_bind_blob(job, 2, id.bytes.data(), 16, SQLITE_STATIC);
      sqlite3_bind_int64(job, 3, user + 1);
      sqlite3_bind_text(job, 4, name.data(), static_cast<int>(name.size()), SQLITE_STATIC);
      sqlite3_bind_int64(job, 5, ms);
      sqlite3_bind_text(job, 6, payload.data(), static_cast<int>(payload.size()), SQLITE_STATIC);
      check(sqlite3_step(job), database);
      sqlite3_reset(job);
      sqlite3_bind_int64(chunk, 1, n);
      sqlite3_bind_int64(chunk, 2, static_cast<sqlite3_int64>(group));
      sqlite3_bind_int64(chunk, 3, ms + 15'000);
      check(sqlite3_step(chunk), database);
      sqlite3_reset(chunk);
    }
    run("COMMIT");
  }
  const auto took = time.wall_us();
  cpu = time.cpu_us();
  sqlite3_finalize(job);
  sqlite3_finalize(chunk);
  sqlite3_close(database);
  return took;
}

class bench {
public:
  bench(const std::string& path, int targets) : path_{path}, targets_{targets} { open(); }

  void run() {
    import();
    commits();
    fan_out();
  }

  /// The bare loop alone, for at least `seconds`; commits a second come out on stdout.
  void run_bare(double seconds) {
    import();
    store_->close();
    store_.reset();
    constexpr std::size_t groups = 500;
    double cpu = 0;
    double took_us = 0;
    double jobs = 0;
    while (took_us < seconds * 1e6) {
      took_us += bare_loop(path_, groups, cpu);
      jobs += groups * group_size;
    }
    std::printf("bare loop %.0f jobs/s\n", jobs / took_us * 1e6);
  }

private:
  void open() {
    sqlite_options options;
    options.path = path_;
    options.owner = {"bench", make_uuid_v7(now())};
    auto opened = sqlite_store::open(std::move(options));
    if (!opened.ok()) {
      std::fprintf(stderr, "%s\n", opened.message.c_str());
      std::exit(1);
    }
    store_ = std::move(opened.value);
  }

  void import() {
    const stretch time;
    for (int begin = 0; begin < targets_; begin += 10'000) {
      std::vector<token_registration> tokens;
      for (int i = begin; i < std::min(begin + 10'000, targets_); ++i)
        tokens.push_back({"user" + std::to_string(i),
                          platform::apns,
                          environment::production,
                          token_text(i),
                          {"news"}});
      await<registration_result>(
        [&](auto done) { store_->register_tokens(default_app, std::move(tokens), done); });
    }
    std::printf("import               %8.2f us a registration\n", time.wall_us() / targets_);
  }

  void commits() {
    constexpr std::size_t groups = 500;
    constexpr auto jobs = static_cast<double>(groups * group_size);
    for (int round = 0; round < 3; ++round) {
      store_->close();
      store_.reset();
      double bare_cpu = 0;
      const auto bare = bare_loop(path_, groups, bare_cpu);
      sqlite3* database = nullptr;
      sqlite3_open(path_.c_str(), &database);
      sqlite3_exec(database,
                   "DELETE FROM jobs WHERE n >= 10000000; "
                   "DELETE FROM chunks WHERE job >= 10000000",
                   nullptr, nullptr, nullptr);
      sqlite3_close(database);
      open();
      std::vector<work_ptr> works;
      const stretch time;
      // Two groups under way, as a committer that fills one while the other is written.
      std::vector<std::future<void>> running;
      for (std::size_t group = 0; group < groups; ++group) {
        auto promise = std::make_shared<std::promise<void>>();
        running.push_back(promise->get_future());
        store_->commit_jobs(group_of_jobs(), std::chrono::seconds{15},
                            [&works, promise](result<std::vector<commit_result>> results) {
                              for (auto& one : results.value)
                                for (auto& work : one.taken)
                                  works.push_back(std::move(work));
                              promise->set_value();
                            });
        if (running.size() > 2)
          running[running.size() - 3].wait();
      }
      for (auto& one : running)
        one.wait();
      const auto took = time.wall_us();
      std::printf("commit               %8.0f jobs/s, cpu %.2f us; bare loop %8.0f jobs/s, cpu "
                  "%.2f us; ratio %.2f\n",
                  jobs / took * 1e6, time.cpu_us() / jobs, jobs / bare * 1e6, bare_cpu / jobs,
                  bare / took);
      finish(works);
    }
  }

  std::vector<job_submission> group_of_jobs() {
    std::vector<job_submission> group;
    for (std::size_t i = 0; i < group_size; ++i) {
      new_job job;
      job.id = make_uuid_v7(now());
      job.lane = "push";
      job.scope = {scope_kind::user, "user" + std::to_string(++next_user_ * 7919 % users), {}, {}};
      job.payload = std::string(300, 'x');
      job.created_at = now();
      group.push_back({std::move(job), true});
    }
    return group;
  }

  // 700 works of one target each a flush, then their completion.
  void finish(const std::vector<work_ptr>& works) {
    double flush_us = 0;
    double complete_us = 0;
    for (std::size_t begin = 0; begin < works.size(); begin += 700) {
      std::vector<outcome_batch> batches;
      for (auto i = begin; i < std::min(begin + 700, works.size()); ++i)
        batches.push_back({works[i], {0}, {}, now()});
      const stretch flush_time;
      auto flushed =
        await<flush_result>([&](auto done) { store_->flush(std::move(batches), done); });
      flush_us += flush_time.wall_us();
      const stretch complete_time;
      await<std::vector<job_id>>(
        [&](auto done) { store_->complete(std::move(flushed.finished_chunks_of), done); });
      complete_us += complete_time.wall_us();
    }
    std::printf("single-target jobs   %8.2f us a flushed outcome, %.2f us a completion\n",
                flush_us / works.size(), complete_us / works.size());
  }

  void fan_out() {
    new_job job;
    job.id = make_uuid_v7(now());
    job.lane = "push";
    job.scope = {scope_kind::topic, "news", {}, {}};
    job.payload = std::string(300, 'x');
    job.created_at = now();
    await<std::vector<commit_result>>([&](auto done) {
      store_->commit_jobs({{job, true}}, std::chrono::seconds{15}, done);
    });
    double plan_us = 0;
    double claim_us = 0;
    double flush_us = 0;
    double longest_flush_us = 0;
    std::size_t planned = 0;
    std::size_t claimed = 0;
    std::size_t flushed = 0;
    for (;;) {
      const stretch plan_time;
      const auto step = await<plan_result>([&](auto done) { store_->plan("push", 1'000, done); });
      plan_us += plan_time.wall_us();
      planned += step.chunks;
      const stretch claim_time;
      auto got = await<claim_result>([&](auto done) {
        store_->claim({"push", {{apns, 16'000}}, 64, std::chrono::seconds{15}}, done);
      });
      claim_us += claim_time.wall_us();
      if (got.works.empty() && step.chunks == 0 && !step.more)
        break;
      for (const auto& work : got.works)
        claimed += work->targets.size();
      flushed += flush_all(got.works, flush_us, longest_flush_us);
    }
    const auto done =
      await<std::vector<job_id>>([&](auto callback) { store_->complete({job.id}, callback); });
    std::printf("plan                 %8.2f us a target (%zu chunks)\n", plan_us / claimed,
                planned);
    std::printf("claim and load       %8.2f us a target (%zu)\n", claim_us / claimed, claimed);
    std::printf("flush of 700         %8.2f us an outcome, longest %.1f ms; job %s\n",
                flush_us / flushed, longest_flush_us / 1e3, done.empty() ? "OPEN" : "completed");
  }

  // As senders report: the works side by side, 64 outcomes a batch, about 700 a flush.
  std::size_t flush_all(const std::vector<work_ptr>& works, double& total_us, double& longest_us) {
    std::vector<outcome_batch> batches;
    std::size_t waiting = 0;
    std::size_t flushed = 0;
    const auto write = [&] {
      flushed += waiting;
      waiting = 0;
      const stretch time;
      await<flush_result>([&](auto done) { store_->flush(std::exchange(batches, {}), done); });
      total_us += time.wall_us();
      longest_us = std::max(longest_us, time.wall_us());
    };
    for (std::uint32_t at = 0; at < 1'000; at += 64) {
      for (const auto& work : works) {
        outcome_batch batch{work, {}, {}, now()};
        for (auto i = at; i < std::min<std::uint32_t>(at + 64, work->targets.size()); ++i)
          batch.accepted.push_back(i);
        waiting += batch.accepted.size();
        batches.push_back(std::move(batch));
        if (waiting >= 700)
          write();
      }
    }
    if (waiting > 0)
      write();
    return flushed;
  }

  std::string path_;
  int targets_;
  int next_user_ = 0;
  std::unique_ptr<sqlite_store> store_;
};

} // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view{argv[1]} == "bare") {
    auto pattern = std::string{argv[2]} + "/store-bench-XXXXXX";
    const std::filesystem::path folder = ::mkdtemp(pattern.data());
    bench{folder / "bench.db", users}.run_bare(std::atof(argv[3]));
    std::filesystem::remove_all(folder);
    return 0;
  }
  const int targets = argc > 1 ? std::atoi(argv[1]) : 1'000'000;
  const std::filesystem::path parent =
    argc > 2 ? std::filesystem::path{argv[2]} : std::filesystem::temp_directory_path();
  auto pattern = (parent / "store-bench-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  bench{folder / "bench.db", std::max(targets, users)}.run();
  std::filesystem::remove_all(folder);
}
