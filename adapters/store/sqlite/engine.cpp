#include "adapters/store/sqlite/engine.hpp"

#include "adapters/store/sqlite/clock.hpp"
#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/directory_rows.hpp"
#include "adapters/store/sqlite/leases.hpp"
#include "adapters/store/sqlite/migrations.hpp"
#include "adapters/store/sqlite/parking.hpp"

#include <algorithm>
#include <thread>

namespace signalbox {

namespace {

// For how long commits wait until nobody reads and the log can be cut.
constexpr std::chrono::milliseconds short_stall{50};
constexpr std::chrono::milliseconds longest_stall{1'000};
// What has been asked before a stop may be read for so long.
constexpr std::chrono::milliseconds last_reads{1'000};

sqlite_options with_defaults(sqlite_options options) {
  options.readers = store_readers(options.readers);
  if (!options.now)
    options.now = [] {
      return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
    };
  return options;
}

} // namespace

std::size_t store_readers(std::size_t readers) {
  return readers > 0 ? readers : std::max<std::size_t>(4, std::thread::hardware_concurrency());
}

sqlite_store::engine::engine(sqlite_options options, std::unique_ptr<sqlite::process_lock> lock)
  : lock_{std::move(lock)}, disk_{options.path, options.min_free_bytes} {
  shared_.options = with_defaults(std::move(options));
  const auto& own = shared_.options;
  sqlite::connection_settings settings{own.busy_timeout, own.writer_cache_bytes, own.mmap_bytes,
                                       false};
  database_.emplace(own.path, settings);
  sqlite::migrate(*database_);
  begin_boot();
  settings.cache_bytes = own.reader_cache_bytes;
  readers_.emplace(own.path, settings,
                   sqlite::readers::settings{own.readers, own.query_limit, own.most_queries});
  sqlite::checkpointer::settings log;
  log.without_readers = [this](bool lanes_too, const std::function<void()>& work) {
    return readers_->run_alone(lanes_too ? longest_stall : short_stall, lanes_too, work);
  };
  checkpointer_.emplace(*database_, own.path, settings, std::move(log));
  shared_.changes.listen_to(*database_);
  sqlite::writer::settings writes;
  writes.import_slice = own.import_slice;
  writes.fault = own.fault;
  writes.committed = [this] { shared_.changes.publish(); };
  writes.rolled_back = [this] {
    shared_.lanes.forget();
    state_.look_again();
  };
  writes.between = [this] { checkpointer_->finish_if_due(); };
  writer_.emplace(*database_, std::move(writes));
  for (const auto topic : sqlite::deleted_topics(*database_))
    remove_topic(topic);
}

sqlite_store::engine::~engine() {
  calls_.close();
  writer_->stop();
  readers_->stop();
  checkpointer_->stop();
}

void sqlite_store::engine::close() {
  calls_.close();
  readers_->hurry(last_reads);
  calls_.wait_until_idle();
  writer_->stop();
  readers_->stop();
  checkpointer_->stop();
}

void sqlite_store::engine::begin_boot() {
  auto& database = *database_;
  database.execute("BEGIN IMMEDIATE");
  sqlite::void_leases(database);
  const auto& owner = shared_.options.owner;
  database.execute("INSERT INTO boots(node, boot, started_at) VALUES(?, ?, ?)", owner.node,
                   owner.boot, shared_.now());
  shared_.owner = database.last_insert_id();
  state_.epoch =
    static_cast<std::uint64_t>(*database.value("SELECT value FROM counters WHERE name = 'epoch'"));
  sqlite::load_clock(database, state_);
  shared_.pauses.set(sqlite::read_pauses(database));
  state_.next_job = database.value("SELECT MAX(n) FROM jobs").value_or(0) + 1;
  database.execute("COMMIT");
}

bool sqlite_store::engine::join_health_check(callback<unit> done) {
  std::lock_guard lock{health_mutex_};
  health_checks_.push_back(std::move(done));
  return health_checks_.size() == 1;
}

void sqlite_store::engine::answer_health_checks(const result<unit>& health) {
  std::vector<callback<unit>> waiting;
  {
    std::lock_guard lock{health_mutex_};
    waiting.swap(health_checks_);
  }
  for (const auto& done : waiting)
    done(health);
}

void sqlite_store::engine::remove_topic(std::int64_t topic) {
  writer_->submit({[this, topic](connection& database, const sqlite::time_slice& slice) {
                     return sqlite::remove_deleted_topic(database, topic, shared_.now(), slice);
                   },
                   // What a failure leaves is taken up at the next start.
                   [](const sqlite::write_status&) {}});
}

void sqlite_store::engine::unpark() {
  state_.unparked_to = 0;
  go_on_unparking();
}

void sqlite_store::engine::go_on_unparking() {
  constexpr std::size_t slice_rows = 1'000;
  auto more = std::make_shared<bool>();
  writer_->submit(sqlite::write_class::lanes, {sqlite::durability::normal,
                                               [this, more](connection& database) {
                                                 *more = sqlite::unpark_slice(database, shared_,
                                                                              state_, slice_rows);
                                               },
                                               // What a failure leaves is the sweeper's.
                                               [this, more](const sqlite::write_status& status) {
                                                 if (status.ok() && *more)
                                                   go_on_unparking();
                                               }});
}

void sqlite_store::engine::close_job(sqlite::job_number job) {
  auto slice = std::make_shared<sqlite::closed_slice>();
  writer_->submit(sqlite::write_class::lanes,
                  {sqlite::durability::normal,
                   [this, job, slice](connection& database) {
                     *slice =
                       sqlite::close_slice(database, shared_.retry_leases, job, shared_.now());
                   },
                   // What a failure leaves is the sweeper's.
                   [this, job, slice](const sqlite::write_status& status) {
                     if (status.ok() && slice->more)
                       close_job(job);
                   }});
}

sqlite::job_number sqlite_store::engine::last_planned(const std::string& lane) {
  std::lock_guard guard{plan_mutex_};
  return last_planned_[lane];
}

void sqlite_store::engine::set_last_planned(const std::string& lane, sqlite::job_number job) {
  std::lock_guard guard{plan_mutex_};
  last_planned_[lane] = job;
}

} // namespace signalbox
