#pragma once

#include "actors/ports/activity_directory.hpp"
#include "adapters/store/sqlite/job_cache.hpp"
#include "adapters/store/sqlite/ledger_state.hpp"

#include <cstddef>
#include <string>

namespace signalbox::sqlite {

// Live Activity tokens, what they are bound to, and who subscribes to which topic's activities. All
// that write run inside the writer's transaction.

/// Registers a token and what it names. Another user, or another environment, gives the row a new
/// id, without bindings.
put_outcome register_activity_token(connection& database, app_id app,
                                    const activity_token_registration& given, timestamp now);
/// False if the user has no such token.
bool delete_activity_token(connection& database, app_id app, const std::string& user,
                           const std::string& token);
put_outcome subscribe_activities(connection& database, app_id app, const std::string& user,
                                 const std::string& topic, timestamp now);
bool unsubscribe_activities(connection& database, app_id app, const std::string& user,
                            const std::string& topic);

/// Binds a token to the activity that the job is a dispatch of.
void bind_token(connection& database, job_number job, token_id token);

/// Makes the row that a broadcast channel is addressed by, if there is none, and keeps it until
/// `expires_at` at least: the end of an activity.
void put_channel(connection& database, app_id app, const std::string& channel, environment env,
                 timestamp now, timestamp expires_at);

/// Goes on behind `place`, some activities at a time: bindings to one that does not exist, and have
/// waited for it since before `before`. False when it has come round.
bool delete_stray_bindings(connection& database, stray_place& place, timestamp before,
                           std::size_t limit);

std::size_t delete_expired_tokens(connection& database, timestamp now, std::size_t limit);

} // namespace signalbox::sqlite
