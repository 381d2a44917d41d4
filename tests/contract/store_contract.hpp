#pragma once

#include "actors/ports/activity_directory.hpp"
#include "actors/ports/dead_letters.hpp"
#include "actors/ports/directory.hpp"
#include "actors/ports/job_control.hpp"
#include "actors/ports/job_reader.hpp"
#include "actors/ports/job_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace signalbox::contract {

/// An open store. Dropped without close() it is as if its process had been killed.
struct opened_store {
  virtual ~opened_store() = default;
  virtual void close() = 0;
  virtual job_store& jobs() = 0;
  virtual job_reader& reader() = 0;
  virtual job_control& control() = 0;
  virtual dead_letter_office& office() = 0;
  virtual user_directory& users() = 0;
  virtual topic_directory& topics() = 0;
  virtual activity_directory& activities() = 0;
};

/// What a test gives a store.
struct store_settings {
  std::function<timestamp()> now;
  std::function<bool()> fails; ///< consulted before every commit: true makes it fail
};

/// An empty database that can be opened again and again.
struct store_database {
  virtual ~store_database() = default;
  virtual std::unique_ptr<opened_store> open(store_settings settings) = 0;
};

/// A kind of store that has to pass this suite.
struct store_kind {
  std::string name;
  std::function<std::unique_ptr<store_database>()> make;

  friend void PrintTo(const store_kind& kind, std::ostream* out) { *out << kind.name; }
};

/// The kinds that are instantiated: one for each store that this build has.
std::vector<store_kind> store_kinds();

inline constexpr auto lease = std::chrono::milliseconds{15'000};
inline constexpr destination apns{default_app, platform::apns, environment::production};
inline constexpr destination sandbox{default_app, platform::apns, environment::sandbox};
inline constexpr destination fcm{default_app, platform::fcm, environment::production};

/// Calls a port and waits for its answer.
template <class T>
result<T> await(const std::function<void(callback<T>)>& call) {
  std::promise<result<T>> promise;
  auto answer = promise.get_future();
  call([&promise](result<T> value) { promise.set_value(std::move(value)); });
  return answer.get();
}

/// A store with a clock that tests move, and the steps that tests are written in.
class store_session {
public:
  explicit store_session(const store_kind& kind);

  // The process.
  void reopen();
  void crash_and_reopen();
  opened_store& store() { return *store_; }
  timestamp now() const { return now_->load(); }
  void advance(std::chrono::milliseconds time) { now_->store(now() + time); }
  void fail_commits(bool fails) { fails_->store(fails); }

  // The directory.
  result<registration_result> add_tokens(std::vector<token_registration> tokens);
  void add_token(const std::string& user, const std::string& token,
                 std::vector<std::string> topics = {}, destination where = apns);
  /// `count` users u0.. with a token t0.. each, subscribed to `topic`.
  void add_subscribers(const std::string& topic, int count, const std::string& prefix = "",
                       destination where = apns);

  // Jobs.
  new_job topic_job(const std::string& topic) const;
  new_job user_job(const std::string& user) const;
  new_job users_job(std::vector<std::string> users) const;
  new_job tokens_job(std::vector<inline_token> tokens) const;
  commit_result commit(new_job job, bool take = false);
  /// Plans until nothing more can be planned; the number of chunks.
  std::size_t plan_all(std::size_t chunk_size = 1'000);
  claim_result claim(std::vector<claim_budget> budgets, std::size_t max_chunks = 64);
  /// Claims with room for everything.
  claim_result claim_all();
  flush_result flush(std::vector<outcome_batch> batches);
  std::vector<job_id> complete(std::vector<job_id> jobs);
  sweep_result sweep(std::size_t limit = 1'000);
  result<job_view> get(const job_id& id);
  job_view view(const job_id& id);
  result<job_view> cancel(const job_id& id);
  work_ptr reload(const work_ptr& work);
  renewal renew(const std::vector<work_ptr>& works);
  void release(const std::vector<work_ptr>& works);
  std::vector<bool> mark_sent(std::vector<sent_mark> marks);
  void refund(std::vector<retry_ref> retries);
  backlog measure();
  std::vector<receipt_view> receipts(const job_id& id);
  std::vector<token_view> tokens_of(const std::string& user);

  // Control.
  pause_view pause(work_rule rule, const std::string& reason = "incident");
  errc resume(std::int64_t pause);
  std::vector<pause_view> pauses();
  cancel_result cancel_jobs(work_rule rule, std::optional<timestamp> created_before = std::nullopt);
  std::vector<dead_letter_view> dead_letters(dead_letter_filter filter = {});
  replay_result replay(dead_letter_filter filter = {}, bool dry_run = false);
  dead_letter_count delete_dead_letters(dead_letter_filter filter = {});

  // Outcomes.
  outcome_batch accept(const work_ptr& work) const;
  outcome_batch accept(const work_ptr& work, std::size_t first, std::size_t count) const;
  /// All settled targets of the work as outcomes.
  outcome_batch settled(const work_ptr& work) const;
  outcome outcome_of(const work_ptr& work, std::size_t position, outcome_status status) const;
  outcome retry_of(const work_ptr& work, std::size_t position,
                   std::chrono::milliseconds delay) const;
  outcome_batch others(const work_ptr& work, std::vector<outcome> list) const;
  /// Accepts what is claimed until nothing is left, completing and sweeping.
  void run_to_the_end();

  /// total = planned = the sum of the counts, and nothing pending.
  void expect_closed(const job_id& id, std::int64_t total);
  /// Gives one target up after `attempts`.
  outcome given_up(const work_ptr& work, std::size_t position,
                   const std::string& last_error = "ServiceUnavailable") const;

private:
  void open();

  std::unique_ptr<store_database> database_;
  std::shared_ptr<std::atomic<timestamp>> now_;
  std::shared_ptr<std::atomic<bool>> fails_;
  std::unique_ptr<opened_store> store_;
};

/// What every test of the suite derives from.
class store_contract : public testing::TestWithParam<store_kind>, public store_session {
protected:
  store_contract() : store_session{GetParam()} {}
};

/// The tokens of a work's targets.
std::vector<std::string> tokens_in(const work_ptr& work);
/// How many targets works have together.
std::size_t targets_in(const std::vector<work_ptr>& works);
lease_ref lease_of(const work_ptr& work);

} // namespace signalbox::contract
