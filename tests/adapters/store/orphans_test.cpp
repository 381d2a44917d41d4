// Rows that nobody uses any more go in time.

#include "adapters/store/sqlite/activity_tokens.hpp"
#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/directory_rows.hpp"
#include "adapters/store/sqlite/migrations.hpp"
#include "adapters/store/sqlite/tokens.hpp"
#include "adapters/store/sqlite/writer.hpp"
#include "tests/adapters/store/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace signalbox::sqlite {
namespace {

using namespace std::chrono_literals;

class orphans : public testing::Test {
protected:
  orphans() { migrate(database); }

  token_name name(const std::string& token) const {
    return {default_app, platform::apns, environment::production, token};
  }

  void register_in(const std::string& token, const std::string& topic,
                   const std::string& user = {}) {
    registration_run run;
    run.app = default_app;
    run.tokens = {{user, platform::apns, environment::production, token, {}}};
    if (!topic.empty())
      run.tokens[0].topics.push_back(topic);
    ASSERT_TRUE(register_some(database, run, now, no_end));
  }

  std::string tokens() {
    return database.ask("SELECT group_concat(token, ' ') FROM (SELECT token FROM tokens "
                        "ORDER BY token)");
  }

  void delete_unused() { delete_unused_tokens(database, now - 30 * 24h, 100); }

  temporary_folder folder;
  connection database{folder.file("test.db"), {}};
  timestamp now{1'000 * 24h};
  time_slice no_end{std::chrono::steady_clock::now() + 1h};
};

TEST_F(orphans, a_token_that_only_jobs_named_goes_when_none_has_for_long) {
  name_token(database, name("a"), now);
  name_token(database, name("b"), now);
  now += 20 * 24h;
  name_token(database, name("a"), now);
  now += 11 * 24h;
  delete_unused();
  EXPECT_EQ(tokens(), "a");
  now += 20 * 24h;
  delete_unused();
  EXPECT_EQ(tokens(), "");
}

TEST_F(orphans, one_that_is_in_a_topic_or_of_a_user_stays) {
  name_token(database, name("a"), now);
  name_token(database, name("b"), now);
  register_in("a", "news");
  register_in("b", {}, "ann");
  register_in("c", {});
  now += 31 * 24h;
  delete_unused();
  EXPECT_EQ(tokens(), "a b");
}

TEST_F(orphans, unless_it_is_without_a_user_and_invalid) {
  register_in("a", "news");
  register_in("b", "news", "ann");
  for (const auto* token : {"a", "b"})
    invalidate_token(database, find_token(database, name(token))->id, "Unregistered", now, now);
  now += 31 * 24h;
  delete_unused();
  EXPECT_EQ(tokens(), "b");
  EXPECT_EQ(database.ask("SELECT COUNT(*) FROM token_subscriptions"), "0");
}

TEST_F(orphans, a_topic_takes_all_subscriptions_of_tokens_along_and_then_the_tokens) {
  register_in("a", "news");
  register_in("b", "news");
  register_in("b", "sports");
  register_in("dead", "news");
  invalidate_token(database, find_token(database, name("dead"))->id, "Unregistered", now, now);
  const auto topic = delete_topic(database, default_app, "news").value;
  while (!remove_deleted_topic(database, topic, now, no_end)) {
  }
  EXPECT_EQ(
    database.ask("SELECT COUNT(*) FROM token_subscriptions WHERE topic = " + std::to_string(topic)),
    "0");
  now += 31 * 24h;
  delete_unused();
  EXPECT_EQ(tokens(), "b");
}

TEST_F(orphans, bindings_to_an_activity_that_never_comes_go) {
  activity_token_registration given;
  given.kind = token_kind::update;
  given.provider = platform::fcm;
  for (const auto* activity : {"never", "a", "exists", "fresh"}) {
    given.user = given.token = given.activity = activity;
    if (given.activity == "fresh")
      now += 8 * 24h;
    register_activity_token(database, default_app, given, now);
  }
  database.run("INSERT INTO activities(app, name, type, scope_kind, scope_id, scope_name, channel, "
               "channel_environment, status, seq, timestamp, content_state, start_job, "
               "pending_until, expires_at, created_at) "
               "VALUES(1, 'exists', '', 2, 1, '', '', 1, 1, 1, 0, '', 1, 0, 0, 0)");
  stray_place place;
  while (delete_stray_bindings(database, place, now - 7 * 24h, 1)) {
  }
  EXPECT_EQ(database.ask("SELECT group_concat(activity, ' ') FROM (SELECT activity FROM "
                         "activity_bindings ORDER BY activity)"),
            "exists fresh");
}

} // namespace
} // namespace signalbox::sqlite
