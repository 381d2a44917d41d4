#pragma once

#include "actors/ports/activity_directory.hpp"
#include "actors/ports/change_feed.hpp"
#include "actors/ports/dead_letters.hpp"
#include "actors/ports/directory.hpp"
#include "actors/ports/job_control.hpp"
#include "actors/ports/job_reader.hpp"
#include "actors/ports/job_store.hpp"
#include "adapters/store/sqlite/disk_space.hpp"
#include "adapters/store/sqlite/options.hpp"

#include <memory>

namespace signalbox {

/// The store in one SQLite database: a writer thread that serves job commits, lane operations and
/// imports in turn, a transaction each, and a pool of readers (docs/ explains the tables).
///
/// Callbacks come on the store's threads, or on the caller's when the call is refused at once. They
/// may call the store again, but not close it. Queues are not bounded here: whoever calls bounds
/// what it has under way.
class sqlite_store final : public job_store,
                           public job_reader,
                           public job_control,
                           public dead_letter_office,
                           public user_directory,
                           public topic_directory,
                           public activity_directory,
                           public change_feed {
public:
  /// Opens or creates the database, brings its schema up to date and voids the leases of earlier
  /// boots. Blocks for at most `lock_wait` and the migration.
  ///
  /// Errors: `busy`: another node holds the lock; `conflict`: the file is another program's, or
  /// newer than this one, and was left untouched; `unavailable`: it cannot be opened.
  static result<std::unique_ptr<sqlite_store>> open(sqlite_options options);

  /// Without close(): what is queued is refused with `stopping`, leases stay for the next boot to
  /// void.
  ~sqlite_store() override;

  /// Refuses new calls with `stopping`, answers all earlier ones, ends the threads.
  void close();

  /// Whether the file system has room for new jobs and registrations. Any thread.
  sqlite::disk_state disk();

  void commit_jobs(std::vector<job_submission> jobs, std::chrono::milliseconds lease,
                   callback<std::vector<commit_result>> done) override;
  void plan(const std::string& lane, std::size_t chunk_size, callback<plan_result> done) override;
  void claim(claim_request request, callback<claim_result> done) override;
  void reload(lease_ref lease, callback<work_ptr> done) override;
  void renew(std::vector<lease_ref> leases, std::chrono::milliseconds lease,
             callback<renewal> done) override;
  void release(std::vector<lease_ref> leases, callback<unit> done) override;
  void mark_sent(std::vector<sent_mark> marks, callback<std::vector<bool>> done) override;
  void refund(std::vector<retry_ref> retries, callback<unit> done) override;
  void flush(std::vector<outcome_batch> batches, callback<flush_result> done) override;
  void complete(std::vector<job_id> jobs, callback<std::vector<job_id>> done) override;
  void sweep(sweep_request request, callback<sweep_result> done) override;
  void measure(const std::string& lane, callback<backlog> done) override;

  void get_job(app_id app, job_id id, callback<job_view> done) override;
  void list_receipts(app_id app, job_id id, page_request page,
                     callback<page_of<receipt_view>> done) override;
  void count_reasons(app_id app, job_id id, callback<std::vector<reason_count>> done) override;
  void list_jobs(app_id app, job_query query, page_request page,
                 callback<page_of<job_view>> done) override;
  void cancel_job(app_id app, job_id id, callback<job_view> done) override;
  void count_open_jobs(callback<std::vector<lane_jobs>> done) override;
  void check_health(callback<unit> done) override;

  void pause(work_rule rule, std::string reason, callback<pause_view> done) override;
  void resume(std::int64_t pause, callback<unit> done) override;
  void list_pauses(page_request page, callback<page_of<pause_view>> done) override;
  void cancel_jobs(work_rule rule, std::optional<timestamp> created_before,
                   callback<cancel_result> done) override;

  void list_dead_letters(dead_letter_filter filter, page_request page,
                         callback<page_of<dead_letter_view>> done) override;
  void replay_dead_letters(dead_letter_filter filter, bool dry_run,
                           callback<replay_result> done) override;
  void delete_dead_letters(dead_letter_filter filter, callback<dead_letter_count> done) override;

  void put_user(app_id app, std::string user, callback<put_outcome> done) override;
  void get_user(app_id app, std::string user, callback<user_view> done) override;
  void list_users(app_id app, page_request page, callback<page_of<user_view>> done) override;
  void delete_user(app_id app, std::string user, callback<unit> done) override;
  void register_tokens(app_id app, std::vector<token_registration> tokens,
                       callback<registration_result> done) override;
  void list_tokens(app_id app, std::string user, page_request page,
                   callback<page_of<token_view>> done) override;
  void delete_token(app_id app, std::string user, std::string token, callback<unit> done) override;

  void put_topic(app_id app, std::string topic, std::optional<std::string> name,
                 callback<put_outcome> done) override;
  void get_topic(app_id app, std::string topic, callback<topic_view> done) override;
  void list_topics(app_id app, page_request page, callback<page_of<topic_view>> done) override;
  void delete_topic(app_id app, std::string topic, callback<unit> done) override;
  void count_topic(app_id app, std::string topic, callback<std::int64_t> done) override;
  void list_subscribers(app_id app, std::string topic, page_request page,
                        callback<page_of<user_view>> done) override;
  void subscribe(app_id app, std::string user, std::string topic,
                 callback<put_outcome> done) override;
  void unsubscribe(app_id app, std::string user, std::string topic, callback<unit> done) override;
  void list_subscriptions(app_id app, std::string user, page_request page,
                          callback<page_of<subscription_view>> done) override;

  void register_activity_token(app_id app, activity_token_registration token,
                               callback<put_outcome> done) override;
  void delete_activity_token(app_id app, std::string user, std::string token,
                             callback<unit> done) override;
  void subscribe_activities(app_id app, std::string user, std::string topic,
                            callback<put_outcome> done) override;
  void unsubscribe_activities(app_id app, std::string user, std::string topic,
                              callback<unit> done) override;
  void get_activity(app_id app, std::string activity, callback<activity_view> done) override;
  void list_dispatches(app_id app, std::string activity, page_request page,
                       callback<page_of<dispatch_view>> done) override;

  void watch(bool on) override;
  void take_changes(change_filter filter, std::size_t limit, callback<change_set> done) override;
  void list_recent(timestamp since, std::size_t limit, callback<change_set> done) override;

private:
  class engine;
  explicit sqlite_store(std::unique_ptr<engine> engine);

  std::unique_ptr<engine> engine_;
};

} // namespace signalbox
