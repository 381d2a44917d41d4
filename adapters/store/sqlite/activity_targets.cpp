#include "adapters/store/sqlite/activity_targets.hpp"

#include <algorithm>

namespace signalbox::sqlite {

namespace {

constexpr std::int64_t no_more = -1;
// Users of a topic that one page looks at, so that a pool with few tokens takes no longer.
constexpr std::size_t most_users = 20'000;

bool is_fcm(pool_code pool) {
  return destination_of(default_app, pool).provider == platform::fcm;
}

// A place in the tokens of an activity: the last one read, and whether reading has come round.
struct ring_place {
  token_id last = 0;
  bool wrapped = false;

  static ring_place from(std::int64_t place) { return {place >> 1, (place & 1) != 0}; }
  std::int64_t stored() const { return (last << 1) | (wrapped ? 1 : 0); }
};

} // namespace

activity_audience::activity_audience(connection& database, job_number job, timestamp now)
  : database_{database}, now_{now} {
  auto found = database.query("SELECT a.id, a.app, a.name, d.action, a.scope_kind, a.scope_id, "
                              "d.whole_scope, a.channel, a.channel_environment "
                              "FROM activity_dispatches d CROSS JOIN activities a "
                              "ON a.id = d.activity WHERE d.job = ?",
                              job);
  if (!found.next())
    throw failure{0, "a dispatch without its activity"};
  activity_ = found.integer(0);
  app_ = found.integer(1);
  name_ = found.text(2);
  action_ = found.as<activity_action>(3);
  scope_ = found.as<scope_kind>(4);
  scope_id_ = found.integer(5);
  whole_scope_ = found.integer(6) != 0;
  channel_ = found.text(7);
  channel_pool_ = pool_of(platform::apns, found.as<environment>(8));
}

activity_audience::page activity_audience::read(pool_code pool, std::int64_t place, token_id first,
                                                std::size_t limit) {
  if (is_by_channel(pool))
    return read_channel(pool);
  return action_ == activity_action::start || whole_scope_ ? read_scope(pool, place, limit)
                                                           : read_bound(pool, place, first, limit);
}

token_id activity_audience::next_token(std::int64_t place) {
  return ring_place::from(place).last + 1;
}

bool activity_audience::is_read_by_tokens() const {
  return scope_ == scope_kind::user || (action_ != activity_action::start && !whole_scope_);
}

bool activity_audience::is_by_channel(pool_code pool) const {
  return !channel_.empty() && action_ != activity_action::start && !is_fcm(pool);
}

activity_audience::page activity_audience::read_channel(pool_code pool) {
  page found{{}, no_more};
  if (pool != channel_pool_)
    return found;
  if (const auto row = database_.value("SELECT id FROM tokens WHERE app = ? AND token = ? "
                                       "AND platform = 1 AND kind = 3 AND invalidated_at IS NULL",
                                       app_, channel_))
    found.ids.push_back(*row);
  return found;
}

// From where the one before was stopped to the end, then from the start to there: whoever is left
// out by one that was superseded comes first in the next. A page ends where it comes round: it is
// sent by ascending id.
activity_audience::page activity_audience::read_bound(pool_code pool, std::int64_t place,
                                                      token_id first, std::size_t limit) {
  auto at = ring_place::from(place);
  if (place == 0)
    at.last = first > 0 ? first - 1 : 0;
  page found;
  for (;;) {
    const auto end = at.wrapped ? first : std::numeric_limits<token_id>::max();
    std::size_t count = 0;
    {
      auto rows = database_.query(
        "SELECT b.token FROM activity_bindings b CROSS JOIN tokens t ON t.id = b.token "
        "WHERE b.app = ?1 AND b.activity = ?2 AND b.pool = ?3 AND b.token > ?4 AND b.token < ?5 "
        "AND t.invalidated_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > ?6) "
        "AND (?7 = 2 AND t.user = ?8 OR ?7 = 1 AND EXISTS(SELECT 1 FROM activity_subscriptions s "
        "WHERE s.user = t.user AND s.topic = ?8)) ORDER BY b.token LIMIT ?9",
        app_, name_, pool, at.last, end, now_, scope_, scope_id_, limit - found.ids.size());
      for (; rows.next(); ++count) {
        at.last = rows.integer(0);
        found.ids.push_back(at.last);
      }
    }
    if (found.ids.size() == limit) {
      found.next = at.stored();
      break;
    }
    if (at.wrapped || first == 0) {
      found.next = no_more;
      break;
    }
    at = {0, true};
    if (!found.ids.empty()) {
      found.next = at.stored();
      break;
    }
  }
  return found;
}

activity_audience::page activity_audience::read_scope(pool_code pool, std::int64_t place,
                                                      std::size_t limit) {
  page found{{}, no_more};
  if (scope_ == scope_kind::user) {
    add_tokens_of(scope_id_, pool, found.ids);
  } else {
    std::vector<std::int64_t> users;
    {
      auto rows = database_.query("SELECT user FROM activity_subscriptions "
                                  "INDEXED BY activity_subscriptions_by_topic "
                                  "WHERE topic = ? AND user > ? ORDER BY user LIMIT ?",
                                  scope_id_, place, most_users);
      while (rows.next())
        users.push_back(rows.integer(0));
    }
    auto user = users.begin();
    for (; user != users.end() && found.ids.size() < limit; ++user)
      add_tokens_of(*user, pool, found.ids);
    if (user != users.end() || users.size() == most_users)
      found.next = *std::prev(user);
  }
  std::sort(found.ids.begin(), found.ids.end());
  return found;
}

// An APNs update token belongs to the one activity it is bound to; an FCM token takes part in any.
void activity_audience::add_tokens_of(std::int64_t user, pool_code pool,
                                      std::vector<token_id>& ids) {
  const auto kind =
    action_ == activity_action::start && !is_fcm(pool) ? token_kind::start : token_kind::update;
  auto rows = database_.query(
    "SELECT id FROM tokens t WHERE user = ?1 AND kind = ?2 AND platform * 16 + environment = ?3 "
    "AND invalidated_at IS NULL AND (expires_at IS NULL OR expires_at > ?4) "
    "AND (?2 = 1 OR platform = 2 OR NOT EXISTS(SELECT 1 FROM activity_bindings b "
    "WHERE b.token = t.id AND NOT (b.app = ?5 AND b.activity = ?6)))",
    user, kind, pool, now_, app_, name_);
  while (rows.next())
    ids.push_back(rows.integer(0));
}

bool activity_audience::is_in_scope(std::optional<std::int64_t> user) {
  if (!user)
    return false;
  if (scope_ == scope_kind::user)
    return *user == scope_id_;
  return database_
    .value("SELECT 1 FROM activity_subscriptions WHERE user = ? AND topic = ?", *user, scope_id_)
    .has_value();
}

bool activity_audience::is_bound(token_id id, pool_code pool) {
  return database_
    .value("SELECT 1 FROM activity_bindings WHERE app = ? AND activity = ? AND pool = ? "
           "AND token = ?",
           app_, name_, pool, id)
    .has_value();
}

bool activity_audience::is_bound_to_any(token_id id) {
  return database_.value("SELECT 1 FROM activity_bindings WHERE token = ? LIMIT 1", id).has_value();
}

activity_audience::check activity_audience::look_at(token_id id, pool_code pool) {
  std::string token;
  std::optional<std::int64_t> user;
  token_kind kind{};
  {
    auto found = database_.query("SELECT token, user, kind, invalidated_at IS NULL, expires_at "
                                 "FROM tokens WHERE id = ?",
                                 id);
    if (!found.next())
      return {{}, "deleted"};
    if (found.integer(3) == 0)
      return {{}, "invalidated"};
    if (!found.is_null(4) && found.time(4) <= now_)
      return {{}, "token_expired"};
    token = found.text(0);
    user = found.optional_integer(1);
    kind = found.as<token_kind>(2);
  }
  if (kind == token_kind::channel)
    return {std::move(token), {}};
  if (!is_in_scope(user))
    return {{}, "unsubscribed"};
  const bool needs_binding =
    action_ != activity_action::start && (!whole_scope_ || (!is_fcm(pool) && is_bound_to_any(id)));
  if (needs_binding && !is_bound(id, pool))
    return {{}, "unbound"};
  return {std::move(token), {}};
}

} // namespace signalbox::sqlite
