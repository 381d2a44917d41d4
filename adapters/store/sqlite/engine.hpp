#pragma once

#include "actors/ports/callback.hpp"
#include "adapters/store/sqlite/checkpointer.hpp"
#include "adapters/store/sqlite/disk_space.hpp"
#include "adapters/store/sqlite/ledger_state.hpp"
#include "adapters/store/sqlite/pending_calls.hpp"
#include "adapters/store/sqlite/process_lock.hpp"
#include "adapters/store/sqlite/readers.hpp"
#include "adapters/store/sqlite/sqlite_store.hpp"
#include "adapters/store/sqlite/writer.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace signalbox::sqlite {
class sweep_pass;
struct claimed_set;
struct claimed_work;
struct commit_group;
struct loaded_set;
} // namespace signalbox::sqlite

namespace signalbox {

/// The threads and the state of an open store, and how a call travels through them.
class sqlite_store::engine {
public:
  using connection = sqlite::connection;

  /// Opens everything; throws sqlite::failure, sqlite::schema_too_new.
  explicit engine(sqlite_options options, std::unique_ptr<sqlite::process_lock> lock);
  ~engine();

  void close();

  /// Counts the call until it is answered; refuses it when the store is closed. The callback
  /// returned is what is to be called; none if the call was refused.
  template <class T>
  callback<T> admit(callback<T> done) {
    if (!calls_.enter()) {
      done(result<T>::failure(errc::stopping, "the store is closed"));
      return nullptr;
    }
    return [this, done = std::move(done)](result<T> answer) {
      done(std::move(answer));
      calls_.leave();
    };
  }

  /// The same for what makes new rows that are not outcomes: refused, too, while the disk is nearly
  /// full.
  template <class T>
  callback<T> admit_new(callback<T> done) {
    done = admit(std::move(done));
    if (!done || disk_.has_room())
      return done;
    done(result<T>::failure(errc::disk_full, "the disk of the store is nearly full"));
    return nullptr;
  }

  /// Runs `body` in a transaction of its own, then `done` with its answer.
  template <class T, class Body>
  void write(sqlite::write_class where, sqlite::durability sync, callback<T> done, Body body) {
    auto answer = std::make_shared<result<T>>();
    writer_->submit(where, {sync,
                            [answer, body = std::move(body)](connection& database) mutable {
                              *answer = body(database);
                            },
                            [answer, done = std::move(done)](const sqlite::write_status& status) {
                              done(status.ok() ? std::move(*answer) : failed<T>(status));
                            }});
  }

  /// Runs `body` with what other small writes of the directory there are, in one transaction.
  template <class T, class Body>
  void import(callback<T> done, Body body) {
    auto answer = std::make_shared<result<T>>();
    writer_->submit(
      {[answer, body = std::move(body)](connection& database, const sqlite::time_slice&) mutable {
         *answer = body(database);
         return true;
       },
       [answer, done = std::move(done)](const sqlite::write_status& status) {
         done(status.ok() ? std::move(*answer) : failed<T>(status));
       }});
  }

  /// Runs `body` on a reader, all of it on one state of the database, then `done` with its answer.
  /// It may be run more than once, from its beginning, before it answers.
  template <class T, class Body>
  void read(sqlite::read_class where, callback<T> done, Body body) {
    auto shared = std::make_shared<callback<T>>(std::move(done));
    readers_->submit(where, {[shared, body = std::move(body)](connection& database) mutable {
                               auto answer = attempt<T>(database, body);
                               if (answer)
                                 (*shared)(std::move(*answer));
                               return answer.has_value();
                             },
                             [shared](errc code, std::string message) {
                               (*shared)(result<T>::failure(code, std::move(message)));
                             }});
  }

  /// `body`, its failures as results; nothing if it was interrupted.
  template <class T, class Body>
  static std::optional<result<T>> attempt(connection& database, Body& body) {
    try {
      const sqlite::snapshot one_state{database};
      return body(database);
    } catch (const sqlite::failure& error) {
      if (error.is_interruption())
        return std::nullopt;
      return result<T>::failure(sqlite::to_errc(error.code()), error.what());
    } catch (const std::exception& error) {
      return result<T>::failure(errc::internal, error.what());
    }
  }

  /// True for the first of those that ask at a time: it looks, and its answer is for all of them.
  bool join_health_check(callback<unit> done);
  void answer_health_checks(const result<unit>& health);

  template <class T>
  static result<T> failed(const sqlite::write_status& status) {
    return result<T>::failure(status.code, status.message);
  }

  /// Rows that jobs may have been resolved to are gone: after the commit, on the writer.
  void directory_changed() { ++shared_.directory_generation; }

  /// Removes the rows of a deleted topic, a slice at a time.
  void remove_topic(std::int64_t topic);
  /// Notes the time, and takes it for a group whose own is later.
  void keep_time(connection& database, sqlite::commit_group& group);
  /// Keeps what is paused from being taken with its commit.
  void leave_paused(sqlite::commit_group& group);

  /// Claims, again and again where too much paused work stands before the rest.
  void claim(std::shared_ptr<const claim_request> request, callback<sqlite::claimed_set> done);
  /// Loads what was claimed, its leases kept for as long as that takes. Damaged chunks are closed;
  /// when all fails, all is given back.
  void load(std::shared_ptr<sqlite::claimed_set> set, boot_clock::time_point deadline,
            std::chrono::milliseconds lease, callback<claim_result> done);

  /// Gives back what no pause covers any more, a slice at a time; on the writer's thread.
  void unpark();
  void run_sweep(std::shared_ptr<sqlite::sweep_pass> pass, callback<sweep_result> done);
  /// Closes a terminal job, a slice at a time.
  void close_job(sqlite::job_number job);
  /// The lane's last planned job; plans go on with the next.
  sqlite::job_number last_planned(const std::string& lane);
  void set_last_planned(const std::string& lane, sqlite::job_number job);

  sqlite::shared_state& shared() { return shared_; }
  sqlite::writer_state& state() { return state_; } ///< on the writer's thread
  sqlite::writer& writer() { return *writer_; }
  sqlite::readers& readers() { return *readers_; }
  sqlite::disk_space& disk() { return disk_; }

private:
  void begin_boot();
  void go_on_unparking();
  void give_back(const sqlite::claimed_set& set);
  void renew_loaded(std::shared_ptr<sqlite::loaded_set> loaded, std::chrono::milliseconds lease,
                    callback<claim_result> done);
  void set_aside(std::vector<sqlite::claimed_work> damaged);

  std::unique_ptr<sqlite::process_lock> lock_;
  sqlite::shared_state shared_;
  sqlite::writer_state state_;
  sqlite::disk_space disk_;
  sqlite::pending_calls calls_;
  std::mutex health_mutex_;
  std::vector<callback<unit>> health_checks_; ///< under way
  std::mutex plan_mutex_;
  std::map<std::string, sqlite::job_number> last_planned_;
  std::optional<connection> database_; ///< the writer's
  std::optional<sqlite::checkpointer> checkpointer_;
  std::optional<sqlite::readers> readers_;
  std::optional<sqlite::writer> writer_;
};

} // namespace signalbox
