// Live Activities: how long activities and their tokens live, and what is left of them.

#include "tests/contract/activity_session.hpp"

namespace signalbox::contract {

namespace {

constexpr std::chrono::seconds a_second{1};

put_outcome register_again(store_session& session, activity_token_registration row) {
  const auto answer = await<put_outcome>([&](auto done) {
    session.store().activities().register_activity_token(default_app, row, std::move(done));
  });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return answer.value;
}

activity_token_registration token_row(std::string token, token_kind kind = token_kind::update,
                                      platform provider = platform::apns) {
  activity_token_registration row;
  row.user = "u";
  row.token = std::move(token);
  row.kind = kind;
  row.provider = provider;
  return row;
}

TEST_P(store_contract, update_tokens_of_apns_live_eight_hours_and_others_longer) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.add_token("u", "android", token_kind::update, "a", {}, fcm);
  live.add_token("u", "old", token_kind::update, "a");
  advance(a_second);
  live.add_token("u", "young", token_kind::update, "a");
  advance(std::chrono::hours{8} - a_second);
  EXPECT_EQ(register_again(*this, token_row("none")), put_outcome::created);
  const auto start = live.start("a", scope_kind::user, "u");
  const auto works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"android", "start"}));
  for (const auto& one : works)
    flush({accept(one)});
  complete({start});
  const auto update = live.update("a");
  EXPECT_EQ(tokens_sent(live.take()), (texts{"android", "young"}));
  EXPECT_EQ(view(update).planned, 2);
  sweep();
  EXPECT_EQ(register_again(*this, token_row("old")), put_outcome::created) << "its row is removed";
  EXPECT_EQ(register_again(*this, token_row("young")), put_outcome::existing);
}

TEST_P(store_contract, a_token_may_say_when_it_ends_but_not_beyond_eight_hours) {
  add_token("u", "push");
  commit(user_job("u")); // a sweep is of a lane
  auto soon = token_row("soon");
  soon.expires_at = now() + std::chrono::hours{1};
  register_again(*this, soon);
  auto late = token_row("late");
  late.expires_at = now() + std::chrono::hours{24};
  register_again(*this, late);
  auto android = token_row("android", token_kind::update, platform::fcm);
  android.expires_at = now() + std::chrono::hours{24};
  register_again(*this, android);
  auto start = token_row("start", token_kind::start);
  start.expires_at = now() + std::chrono::hours{24};
  register_again(*this, start);
  advance(std::chrono::hours{1});
  sweep();
  EXPECT_EQ(register_again(*this, soon), put_outcome::created);
  advance(std::chrono::hours{7});
  sweep();
  EXPECT_EQ(register_again(*this, late), put_outcome::created);
  EXPECT_EQ(register_again(*this, android), put_outcome::existing);
  EXPECT_EQ(register_again(*this, start), put_outcome::existing);
  advance(std::chrono::hours{16});
  sweep();
  EXPECT_EQ(register_again(*this, android), put_outcome::created);
  EXPECT_EQ(register_again(*this, start), put_outcome::created);
}

TEST_P(store_contract, only_live_tokens_are_planned_while_the_start_goes_out) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  auto ending = token_row("ending");
  ending.expires_at = now() + a_second;
  register_again(*this, ending);
  live.add_token("u", "bad", token_kind::update);
  live.start("a", scope_kind::user, "u");
  EXPECT_EQ(tokens_sent(live.take()), (texts{"start"}));
  live.update("a");
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  ASSERT_EQ(tokens_in(works[0]), (texts{"ending", "bad"}));
  auto rejected = outcome_of(works[0], 1, outcome_status::rejected);
  rejected.invalidate = invalidation::bad_token;
  flush({accept(works[0], 0, 1), others(works[0], {rejected})});
  complete({works[0]->key.job});
  live.add_token("u", "live", token_kind::update);
  advance(a_second);
  const auto update = live.update("a");
  EXPECT_EQ(tokens_sent(live.take()), (texts{"live"}));
  EXPECT_EQ(view(update).planned, 1);
}

TEST_P(store_contract, a_token_that_ended_between_planning_and_sending_is_skipped) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  auto token = token_row("device");
  token.activity = "a";
  token.expires_at = now() + std::chrono::minutes{1};
  register_again(*this, token);
  live.add_token("u", "other", token_kind::update, "a");
  const auto job = live.update("a");
  plan_all();
  advance(std::chrono::minutes{1});
  auto works = claim_all().works;
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(tokens_in(works[0]), (texts{"other"}));
  ASSERT_EQ(works[0]->settled.size(), 1u);
  EXPECT_EQ(works[0]->settled[0].reason, "token_expired");
  flush({settled(works[0]), accept(works[0])});
  complete({job});
  expect_closed(job, 2);
}

TEST_P(store_contract, a_token_that_was_rejected_gets_nothing_until_it_is_registered_again) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.add_token("u", "one", token_kind::update, "a");
  live.add_token("u", "two", token_kind::update, "a");
  auto job = live.update("a");
  auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  auto gone = outcome_of(works[0], 0, outcome_status::rejected);
  gone.invalidate = invalidation::bad_token;
  gone.reason = "BadDeviceToken";
  flush({others(works[0], {gone}), accept(works[0], 1, 1)});
  complete({job});
  job = live.update("a");
  works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"two"}));
  flush({accept(works.at(0))});
  complete({job});
  job = live.update("a");
  plan_all();
  advance(a_second);
  live.add_token("u", "one", token_kind::update, "a");
  works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"two"})) << "not of a dispatch that was planned before";
  flush({accept(works.at(0))});
  complete({job});
  live.update("a");
  EXPECT_EQ(tokens_sent(live.take()), (texts{"one", "two"}));
}

TEST_P(store_contract, a_token_that_is_rejected_between_planning_and_sending_is_skipped) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.add_token("u", "one", token_kind::update, "a");
  const auto before = live.update("a");
  const auto sent = live.take();
  ASSERT_EQ(sent.size(), 1u);
  live.begin("b", scope_kind::user, "u");
  live.add_token("u", "one", token_kind::update, "b");
  const auto job = live.update("b");
  plan_all();
  auto gone = outcome_of(sent[0], 0, outcome_status::rejected);
  gone.invalidate = invalidation::bad_token;
  gone.reason = "BadDeviceToken";
  flush({others(sent[0], {gone})});
  complete({before});
  const auto works = claim_all().works;
  EXPECT_TRUE(tokens_sent(works).empty());
  flush({settled(works.at(0))});
  complete({job});
  expect_closed(job, 1);
  EXPECT_EQ(view(job).counts.skipped, 1);
}

TEST_P(store_contract, a_token_that_changes_its_environment_is_another) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.add_token("u", "device", token_kind::update, "a");
  live.add_token("u", "device", token_kind::update, {}, {}, sandbox);
  live.update("a");
  EXPECT_TRUE(live.take().empty());
}

TEST_P(store_contract, an_activity_lives_eight_hours_at_most_and_less_when_it_says_so) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  auto shorter = live.start_job("short", scope_kind::user, "u");
  shorter.activity->expires_at = now() + std::chrono::hours{1};
  EXPECT_EQ(live.commit(shorter).code, errc::ok);
  auto longer = live.start_job("long", scope_kind::user, "u");
  longer.activity->type = "walk";
  longer.activity->expires_at = now() + std::chrono::hours{20};
  EXPECT_EQ(live.commit(longer).code, errc::ok);
  run_to_the_end();
  EXPECT_EQ(live.view("long").expires_at, now() + std::chrono::hours{8});
  advance(std::chrono::hours{1});
  sweep();
  EXPECT_EQ(live.view("short").status, activity_status::expired);
  EXPECT_EQ(live.view("short").closed_at, now());
  EXPECT_EQ(live.view("long").status, activity_status::active);
  EXPECT_EQ(live.commit(live.request(activity_action::update, "short")).code, errc::not_found);
  const auto end = live.commit(live.request(activity_action::end, "short"));
  ASSERT_TRUE(end.activity.has_value());
  EXPECT_EQ(end.activity->reply, activity_reply::closed);
}

TEST_P(store_contract, an_activity_that_is_over_is_forgotten_with_its_bindings) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.add_token("u", "android", token_kind::update, "a", {}, fcm);
  live.begin("a", scope_kind::user, "u");
  live.end("a");
  run_to_the_end();
  EXPECT_EQ(live.view("a").status, activity_status::closed);
  const auto look = [&] {
    return await<activity_view>(
      [&](auto done) { store().activities().get_activity(default_app, "a", std::move(done)); });
  };
  advance(std::chrono::hours{24} * 29);
  while (sweep().more) {
  }
  EXPECT_TRUE(look().ok());
  advance(std::chrono::hours{24} * 2);
  for (int i = 0; i < 3; ++i) // bindings and activities go in passes of their own
    while (sweep().more) {
    }
  EXPECT_EQ(look().code, errc::not_found);
  const auto start = live.start("a", scope_kind::user, "u");
  const auto works = live.take();
  for (const auto& one : works) // and rejected, so that nothing is bound anew
    flush({others(one, {outcome_of(one, 0, outcome_status::rejected)})});
  complete({start});
  live.update("a");
  EXPECT_TRUE(live.take().empty()) << "a new activity of that id has no device yet";
}

TEST_P(store_contract, an_activity_stays_while_one_of_its_dispatches_does) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.add_token("u", "device", token_kind::update, "a");
  const auto update = live.update("a");
  EXPECT_EQ(live.take().size(), 1u);
  live.begin("b", scope_kind::user, "u");
  advance(std::chrono::hours{24} * 31);
  for (int i = 0; i < 3; ++i)
    while (sweep().more) {
    }
  EXPECT_EQ(live.view("a").status, activity_status::closed);
  EXPECT_FALSE(view(update).completed_at.has_value());
}

TEST_P(store_contract, an_end_that_was_cancelled_ends_nothing) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.add_token("u", "device", token_kind::update, "a");
  const auto end = live.end("a");
  EXPECT_EQ(live.commit(live.request(activity_action::update, "a")).code, errc::not_found)
    << "it has an accepted end";
  cancel(end);
  const auto update = live.update("a");
  const auto works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"device"}));
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(works[0]->key.job, update);
  flush({accept(works[0])});
  complete({update});
  EXPECT_EQ(live.view("a").status, activity_status::active);
  live.end("a");
  run_to_the_end();
  EXPECT_EQ(live.view("a").status, activity_status::closed);
}

TEST_P(store_contract, a_second_end_is_not_made) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.end("a");
  const auto again = live.commit(live.request(activity_action::end, "a"));
  ASSERT_TRUE(again.activity.has_value());
  EXPECT_EQ(again.activity->reply, activity_reply::closed);
  EXPECT_FALSE(again.activity->dispatch.has_value());
}

TEST_P(store_contract, an_end_that_expires_closes_its_activity) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.add_token("u", "device", token_kind::update, "a");
  auto request = live.request(activity_action::end, "a");
  request.options.expires_at = now() + std::chrono::minutes{1};
  const auto job = request.id;
  EXPECT_EQ(live.commit(request).code, errc::ok);
  plan_all();
  advance(std::chrono::minutes{2});
  sweep();
  EXPECT_EQ(view(job).status, job_status::expired);
  EXPECT_EQ(live.view("a").status, activity_status::closed);
}

TEST_P(store_contract, a_start_that_is_cancelled_leaves_the_activity_active) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  const auto start = live.start("a", scope_kind::user, "u");
  cancel(start);
  sweep();
  EXPECT_EQ(live.view("a").status, activity_status::active);
  EXPECT_FALSE(live.view("a").starting);
}

TEST_P(store_contract, an_update_that_waits_is_superseded_when_its_activity_closes) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.add_token("u", "device", token_kind::update, "a");
  const auto update = live.update("a");
  live.start("b", scope_kind::user, "u");
  const auto works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"start"}));
  EXPECT_EQ(view(update).status, job_status::superseded);
  expect_closed(update, 0);
}

TEST_P(store_contract, a_start_closes_no_activity_of_another_type_or_scope) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.add_token("v", "other start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  auto walk = live.start_job("b", scope_kind::user, "u");
  walk.activity->type = "walk";
  EXPECT_EQ(live.commit(walk).code, errc::ok);
  live.begin("c", scope_kind::user, "v");
  for (const auto* name : {"a", "b", "c"})
    EXPECT_EQ(live.view(name).status, activity_status::active) << name;
  auto by_type = live.request(activity_action::update, {});
  by_type.scope = {scope_kind::user, "u", {}, {}};
  by_type.activity->type = "ride";
  const auto found = live.commit(by_type);
  ASSERT_TRUE(found.activity.has_value()) << found.message;
  EXPECT_EQ(found.activity->activity, "a") << "the newest is of another type";
}

TEST_P(store_contract, only_a_start_that_fcm_took_binds) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  const auto start = live.start("a", scope_kind::user, "u");
  for (const auto& one : live.take()) {
    if (one->dest.provider == platform::apns)
      flush({accept(one)});
    else
      flush({others(one, {outcome_of(one, 0, outcome_status::rejected)})});
  }
  const auto update = live.update("a");
  const auto works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"android"})) << "the start is not complete yet";
  flush({accept(works.at(0))});
  complete({start, update});
  live.update("a");
  EXPECT_TRUE(live.take().empty());
}

// It has the newer content, and is not forgotten afterwards.
TEST_P(store_contract, a_start_that_was_dropped_for_an_update_binds_the_device) {
  activity_session live{*this};
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  const auto start = live.start("a", scope_kind::user, "u");
  const auto first = live.take();
  ASSERT_EQ(first.size(), 1u);
  flush({others(first[0], {retry_of(first[0], 0, std::chrono::seconds{5})})});
  const auto update = live.update("a");
  const auto works = live.take();
  ASSERT_EQ(tokens_sent(works), (texts{"android"}));
  flush({accept(works[0])});
  advance(std::chrono::seconds{10});
  for (const auto& one : live.take())
    flush({settled(one)});
  complete({start, update});
  expect_closed(start, 1);
  EXPECT_EQ(view(start).counts.skipped, 1);
  live.end("a");
  EXPECT_EQ(tokens_sent(live.take()), (texts{"android"})) << "it shows the activity";
}

TEST_P(store_contract, a_token_that_was_bound_to_another_activity_before_the_send_is_skipped) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.add_token("u", "device", token_kind::update);
  live.start("a", scope_kind::user, "u");
  const auto starting = live.take();
  const auto update = live.update("a");
  plan_all();
  live.add_token("u", "device", token_kind::update, "b");
  const auto works = claim_all().works;
  EXPECT_TRUE(tokens_sent(works).empty());
  for (const auto& one : works)
    flush({settled(one)});
  complete({update});
  expect_closed(update, 1);
  EXPECT_EQ(view(update).counts.skipped, 1);
}

// APNs would call it a bad token.
TEST_P(store_contract, a_push_to_start_token_gets_no_update_whatever_it_was_registered_with) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start, "a");
  live.begin("a", scope_kind::user, "u");
  live.update("a");
  EXPECT_TRUE(live.take().empty());
}

TEST_P(store_contract, what_runs_out_of_attempts_is_no_dead_letter) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.add_token("u", "device", token_kind::update, "a");
  const auto update = live.update("a");
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  flush({others(works[0], {given_up(works[0], 0)})});
  complete({update});
  expect_closed(update, 1);
  EXPECT_EQ(view(update).counts.rejected, 1);
  EXPECT_TRUE(dead_letters().empty());
}

TEST_P(store_contract,
       a_start_with_a_channel_goes_to_start_tokens_and_fcm_gets_updates_one_by_one) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.add_token("s", "android", token_kind::update, "a", "match", fcm);
  auto start = live.start_job("a", scope_kind::topic, "match");
  start.activity->channel = "channel id";
  start.activity->channel_env = environment::sandbox;
  EXPECT_EQ(live.commit(start).code, errc::ok);
  auto works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"android", "start"}));
  for (const auto& one : works)
    flush({accept(one)});
  complete({works.at(0)->key.job});
  live.add_token("s", "device", token_kind::update, "a", "match");
  live.update("a");
  works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"android", "channel id"}));
  for (const auto& one : works) {
    if (one->dest.provider == platform::apns) {
      EXPECT_EQ(one->dest, sandbox);
    }
  }
}

} // namespace

} // namespace signalbox::contract
