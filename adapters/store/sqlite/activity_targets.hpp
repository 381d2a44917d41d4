#pragma once

#include "adapters/store/sqlite/activities.hpp"
#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/job_cache.hpp"
#include "adapters/store/sqlite/pool.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::sqlite {

/// Whom a dispatch is for (SPEC 6.6). A start: the push-to-start tokens of its scope at APNs, all
/// its tokens at FCM. An update or end: the tokens that are bound to the activity and in its scope;
/// while the start still goes out, all tokens of the scope that are not another activity's.
class activity_audience {
public:
  /// Reads what the dispatch's rows say; throws a failure about rows if they are damaged.
  activity_audience(connection& database, job_number job, timestamp now);

  /// Whether a small audience is found by reading few rows: not a topic's, user by user.
  bool is_read_by_tokens() const;

  struct page {
    std::vector<token_id> ids; ///< ascending
    std::int64_t next = 0;     ///< the place to go on from; -1: there are no more
  };
  /// The next tokens of a pool, from a place on: 0 is the start, other places come from `next`.
  /// Bound tokens are read from `first` to the end, and then from the start to there.
  page read(pool_code pool, std::int64_t place, token_id first, std::size_t limit);
  /// Of a place in bound tokens, where the next page begins.
  static token_id next_token(std::int64_t place);

  struct check {
    std::string token;       ///< empty: not to be sent to
    std::string_view reason; ///< why not
  };
  /// Looks at one target again at the send.
  check look_at(token_id id, pool_code pool);

  bool is_bound(token_id id, pool_code pool); ///< to the dispatch's activity

  activity_number activity() const { return activity_; }

private:
  page read_bound(pool_code pool, std::int64_t place, token_id first, std::size_t limit);
  page read_scope(pool_code pool, std::int64_t place, std::size_t limit);
  page read_channel(pool_code pool);
  void add_tokens_of(std::int64_t user, pool_code pool, std::vector<token_id>& ids);
  bool is_by_channel(pool_code pool) const;
  bool is_in_scope(std::optional<std::int64_t> user);
  bool is_bound_to_any(token_id id);

  connection& database_;
  timestamp now_;
  activity_number activity_ = 0;
  app_id app_ = default_app;
  std::string name_;
  activity_action action_ = activity_action::start;
  scope_kind scope_ = scope_kind::user;
  std::int64_t scope_id_ = 0;
  bool whole_scope_ = false;
  std::string channel_;
  pool_code channel_pool_ = 0;
};

} // namespace signalbox::sqlite
