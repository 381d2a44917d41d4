#pragma once

#include "actors/ports/activity_directory.hpp"
#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/job_cache.hpp"
#include "adapters/store/sqlite/ledger_state.hpp"
#include "messages/ledger.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace signalbox::sqlite {

/// An activity lives so long at most (SPEC 6.1), and so do APNs' update tokens.
inline constexpr std::chrono::hours longest_activity{8};
/// A start that has not gone out by then is no reason any more to address the whole scope.
inline constexpr std::chrono::seconds longest_start{60};

using activity_number = std::int64_t;

/// What a request about an activity was accepted as.
struct accepted_request {
  errc code = errc::ok;
  std::string message;
  activity_result answer; ///< with a dispatch: one is to be made
  activity_number activity = 0;
  timestamp expires_at; ///< the activity's
};

/// Decides about the request of `job`, which is to have the number `n`, and writes the activity's
/// row: its sequence number, timestamp and content-state. In the writer's transaction.
accepted_request accept_request(connection& database, const new_job& job, job_number n,
                                timestamp now);

/// Writes the dispatch of a request that was accepted.
void insert_dispatch(connection& database, const accepted_request& accepted, const new_job& job,
                     job_number n);

/// After a job of an activity was completed, however it ended: the activity closes with its end,
/// and fails with a start that had no targets.
void finish_dispatch(connection& database, job_number job, job_status status, timestamp now);

/// What senders need to know of a dispatch; throws a failure about rows if it is not known whole.
activity_event read_event(connection& database, job_number job);

/// Marks up to `limit` activities whose life is over; deletes what nothing refers to any more.
std::size_t expire_activities(connection& database, timestamp now, std::size_t limit);
void delete_old_activities(connection& database, timestamp closed_before, std::size_t limit);

result<activity_view> read_activity(connection& database, app_id app, const std::string& name,
                                    timestamp now);
result<page_of<dispatch_view>> read_dispatches(connection& database, app_id app,
                                               const std::string& name, const page_request& page);

} // namespace signalbox::sqlite
