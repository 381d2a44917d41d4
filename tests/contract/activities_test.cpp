// Live Activities: what requests come to, whom dispatches are for, and how they take turns.

#include "tests/contract/activity_session.hpp"

namespace signalbox::contract {

namespace {

constexpr std::chrono::seconds a_second{1};

TEST_P(store_contract, a_start_goes_to_start_tokens_and_to_fcm_tokens_of_its_scope) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.add_token("u", "running", token_kind::update, "other");
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  live.add_token("v", "foreign", token_kind::start);
  add_token("u", "pushes");
  const auto job = live.start("a", scope_kind::user, "u");
  const auto works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"android", "start"}));
  ASSERT_FALSE(works.empty());
  const auto& event = works[0]->job->activity;
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->action, activity_action::start);
  EXPECT_EQ(event->activity, "a");
  EXPECT_EQ(event->type, "ride");
  EXPECT_EQ(event->seq, 1);
  EXPECT_EQ(event->content_state, R"({"seq":0})");
  for (const auto& one : works)
    flush({accept(one)});
  complete({job});
  expect_closed(job, 2);
  EXPECT_EQ(live.view("a").status, activity_status::active);
  EXPECT_FALSE(live.view("a").starting);
}

TEST_P(store_contract, a_start_reaches_who_subscribes_to_activities_of_its_topic) {
  activity_session live{*this};
  live.add_token("u", "one", token_kind::start, {}, "match");
  live.add_token("v", "two", token_kind::start);
  add_token("w", "push", {"match"});
  live.start("a", scope_kind::topic, "match");
  EXPECT_EQ(tokens_sent(live.take()), (texts{"one"}));
}

TEST_P(store_contract, a_start_of_an_id_that_exists_makes_nothing) {
  activity_session live{*this};
  live.add_token("u", "one", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  const auto again = live.commit(live.start_job("a", scope_kind::user, "u"));
  ASSERT_TRUE(again.activity.has_value());
  EXPECT_EQ(again.activity->reply, activity_reply::already_started);
  EXPECT_FALSE(again.activity->dispatch.has_value());
  live.end("a");
  run_to_the_end();
  const auto closed = live.commit(live.start_job("a", scope_kind::user, "u"));
  ASSERT_TRUE(closed.activity.has_value());
  EXPECT_EQ(closed.activity->reply, activity_reply::already_started);
}

TEST_P(store_contract, of_two_starts_in_one_group_one_wins) {
  activity_session live{*this};
  live.add_token("u", "one", token_kind::start);
  auto answer = await<std::vector<commit_result>>([&](auto done) {
    store().jobs().commit_jobs({{live.start_job("a", scope_kind::user, "u"), false},
                                {live.start_job("a", scope_kind::user, "u"), false}},
                               lease, std::move(done));
  });
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.value[0].activity->reply, activity_reply::started);
  EXPECT_EQ(answer.value[1].activity->reply, activity_reply::already_started);
  EXPECT_EQ(tokens_sent(live.take()), (texts{"one"}));
}

TEST_P(store_contract, a_start_closes_the_active_one_of_its_type_and_scope) {
  activity_session live{*this};
  live.add_token("u", "one", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.begin("b", scope_kind::user, "u");
  EXPECT_EQ(live.view("a").status, activity_status::closed);
  EXPECT_EQ(live.view("b").status, activity_status::active);
  EXPECT_EQ(live.commit(live.request(activity_action::update, "a")).code, errc::not_found);
  auto by_type = live.request(activity_action::update, {});
  by_type.scope = {scope_kind::user, "u", {}, {}};
  by_type.activity->type = "ride";
  const auto found = live.commit(by_type);
  ASSERT_TRUE(found.activity.has_value()) << found.message;
  EXPECT_EQ(found.activity->activity, "b");
}

TEST_P(store_contract, an_update_of_what_is_missing_closed_failed_or_expired_is_not_found) {
  activity_session live{*this};
  EXPECT_EQ(live.commit(live.request(activity_action::update, "none")).code, errc::not_found);
  EXPECT_EQ(live.commit(live.request(activity_action::end, "none")).code, errc::not_found);
  live.add_token("u", "one", token_kind::start);
  live.begin("closed", scope_kind::user, "u");
  live.end("closed");
  run_to_the_end();
  EXPECT_EQ(live.view("closed").status, activity_status::closed);
  EXPECT_EQ(live.commit(live.request(activity_action::update, "closed")).code, errc::not_found);
  const auto again = live.commit(live.request(activity_action::end, "closed"));
  ASSERT_TRUE(again.activity.has_value());
  EXPECT_EQ(again.activity->reply, activity_reply::closed);
  live.begin("expired", scope_kind::user, "u");
  advance(std::chrono::hours{8});
  EXPECT_EQ(live.view("expired").status, activity_status::expired);
  EXPECT_EQ(live.commit(live.request(activity_action::update, "expired")).code, errc::not_found);
}

TEST_P(store_contract, a_start_without_targets_fails_its_activity) {
  activity_session live{*this};
  add_token("u", "a push token");
  const auto job = live.start("a", scope_kind::user, "u");
  run_to_the_end();
  expect_closed(job, 0);
  EXPECT_EQ(live.view("a").status, activity_status::failed);
  EXPECT_EQ(live.commit(live.request(activity_action::update, "a")).code, errc::not_found);
}

TEST_P(store_contract, a_start_that_all_devices_reject_leaves_the_activity_active) {
  activity_session live{*this};
  live.add_token("u", "one", token_kind::start);
  const auto job = live.start("a", scope_kind::user, "u");
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  flush({others(works[0], {outcome_of(works[0], 0, outcome_status::rejected)})});
  complete({job});
  expect_closed(job, 1);
  EXPECT_EQ(live.view("a").status, activity_status::active);
}

TEST_P(store_contract, an_update_goes_to_bound_tokens_inside_the_scope) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.add_token("u", "mine", token_kind::update, "a");
  live.add_token("u", "unbound", token_kind::update);
  live.add_token("u", "of another", token_kind::update, "b");
  live.add_token("foreign", "same activity id", token_kind::update, "a");
  const auto job = live.update("a");
  EXPECT_EQ(tokens_sent(live.take()), (texts{"mine"}));
  EXPECT_EQ(view(job).planned, 1);
}

TEST_P(store_contract, an_end_without_targets_closes_its_activity) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  const auto job = live.end("a");
  run_to_the_end();
  expect_closed(job, 0);
  EXPECT_EQ(live.view("a").status, activity_status::closed);
}

TEST_P(store_contract, a_start_that_fcm_took_binds_the_device) {
  activity_session live{*this};
  live.add_token("u", "took", token_kind::update, {}, {}, fcm);
  live.add_token("u", "refused", token_kind::update, {}, {}, fcm);
  live.start("a", scope_kind::user, "u");
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  const auto first = works[0]->token(works[0]->targets[0]);
  flush({accept(works[0], 0, 1),
         others(works[0], {outcome_of(works[0], 1, outcome_status::rejected)})});
  complete({works[0]->key.job});
  live.update("a");
  EXPECT_EQ(tokens_sent(live.take()), (texts{std::string{first}}));
}

TEST_P(store_contract, while_the_start_goes_out_the_whole_scope_is_addressed) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.add_token("u", "just started", token_kind::update);
  live.add_token("u", "of another", token_kind::update, "b");
  const auto start = live.start("a", scope_kind::user, "u");
  const auto starting = live.take();
  EXPECT_EQ(tokens_sent(starting), (texts{"start"}));
  EXPECT_TRUE(live.view("a").starting);
  const auto first = live.update("a");
  const auto works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"just started"}));
  flush({accept(works.at(0)), accept(starting.at(0))});
  complete({first, start});
  live.update("a");
  EXPECT_EQ(tokens_sent(live.take()), texts{}) << "the start is over: only what is bound counts";
}

TEST_P(store_contract, a_lost_start_stops_counting_as_going_out) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.add_token("u", "unbound", token_kind::update);
  live.start("a", scope_kind::user, "u");
  EXPECT_EQ(live.take().size(), 1u); // and never answered
  advance(std::chrono::seconds{61});
  EXPECT_FALSE(live.view("a").starting);
  const auto job = live.update("a");
  plan_all();
  EXPECT_EQ(view(job).total, 0);
}

TEST_P(store_contract, a_token_that_changes_its_user_loses_its_bindings) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.add_token("u", "device", token_kind::update, "a");
  const auto before = live.update("a");
  const auto works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"device"}));
  flush({accept(works.at(0))});
  complete({before});
  live.add_token("v", "device", token_kind::update);
  live.add_token("u", "device", token_kind::update);
  const auto job = live.update("a");
  plan_all();
  EXPECT_EQ(view(job).total, 0);
}

TEST_P(store_contract, a_token_that_is_unbound_between_planning_and_sending_is_skipped) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 3);
  const auto job = live.update("a");
  plan_all();
  live.add_token("v", "t0", token_kind::update, "a");
  await<unit>([&](auto done) {
    store().activities().unsubscribe_activities(default_app, "s1", "match", std::move(done));
  });
  const auto works = claim_all().works;
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(tokens_in(works[0]), (texts{"t2"}));
  flush({settled(works[0]), accept(works[0])});
  complete({job});
  expect_closed(job, 3);
  EXPECT_EQ(view(job).counts.skipped, 2);
}

TEST_P(store_contract, the_timestamp_is_of_the_acceptance_and_never_decreases) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.add_token("u", "device", token_kind::update, "a");
  const auto accepted_at =
    std::chrono::floor<std::chrono::seconds>(now()).time_since_epoch().count();
  const auto first = live.update("a");
  advance(std::chrono::minutes{5});
  auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(works[0]->job->activity->timestamp_s, accepted_at);
  flush({accept(works[0])});
  complete({first});
  advance(-std::chrono::minutes{10});
  live.update("a");
  works = live.take();
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(works[0]->job->activity->timestamp_s, accepted_at);
  EXPECT_EQ(works[0]->job->activity->seq, 3) << "the order is of the row and not of a clock";
}

TEST_P(store_contract, a_callers_own_timestamp_is_taken_but_never_below_the_last) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.add_token("u", "device", token_kind::update, "a");
  const auto began_at = std::chrono::floor<std::chrono::seconds>(now()).time_since_epoch().count();
  const auto sent_with = [&](std::optional<std::int64_t> own) -> std::int64_t {
    auto update = live.request(activity_action::update, "a");
    update.activity->timestamp_s = own;
    EXPECT_EQ(live.commit(update).code, errc::ok);
    const auto works = live.take();
    EXPECT_EQ(works.size(), 1u);
    if (works.empty())
      return 0;
    flush({accept(works[0])});
    complete({update.id});
    return works[0]->job->activity->timestamp_s;
  };
  EXPECT_EQ(sent_with(began_at + 100), began_at + 100);
  EXPECT_EQ(sent_with(began_at + 50), began_at + 100);
  EXPECT_EQ(sent_with(std::nullopt), began_at + 100);
  EXPECT_EQ(sent_with(began_at + 200), began_at + 200);
}

TEST_P(store_contract, what_is_too_large_for_devices_is_taken_for_a_channel_alone) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("devices", scope_kind::user, "u");
  auto start = live.start_job("channel", scope_kind::user, "u");
  start.activity->type = "match";
  start.activity->channel = "channel id";
  EXPECT_EQ(live.commit(start).code, errc::ok);
  const auto code_of = [&](const std::string& activity, std::size_t bytes) {
    auto update = live.request(activity_action::update, activity);
    update.activity->apns_bytes = bytes;
    return live.commit(update).code;
  };
  EXPECT_EQ(code_of("devices", 4096), errc::ok);
  EXPECT_EQ(code_of("devices", 4097), errc::invalid);
  EXPECT_EQ(code_of("channel", 5120), errc::ok);
  EXPECT_EQ(code_of("channel", 5121), errc::invalid);
}

TEST_P(store_contract, an_end_is_measured_with_the_content_that_it_takes_over) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.update("a", R"({"s":")" + std::string(2'000, 'x') + R"("})");
  auto end = live.request(activity_action::end, "a", {});
  end.activity->apns_bytes = 2'100;
  EXPECT_EQ(live.commit(end).code, errc::invalid);
  auto smaller = live.request(activity_action::end, "a", {});
  smaller.activity->apns_bytes = 2'000;
  EXPECT_EQ(live.commit(smaller).code, errc::ok) << "the one that was refused ended nothing";
}

TEST_P(store_contract, an_end_without_content_takes_the_last) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  live.add_token("u", "device", token_kind::update, "a");
  live.update("a", R"({"seq":7})");
  run_to_the_end();
  live.end("a");
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(works[0]->job->activity->content_state, R"({"seq":7})");
}

TEST_P(store_contract, a_newer_update_is_planned_when_nothing_of_the_older_is_in_flight) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 4);
  const auto older = live.update("a");
  const auto sent = live.take();
  ASSERT_EQ(sent.size(), 1u);
  flush({accept(sent[0], 0, 1)});
  const auto newer = live.update("a");
  EXPECT_TRUE(live.take().empty()) << "three requests may be in flight";
  EXPECT_EQ(view(older).status, job_status::superseded);
  EXPECT_FALSE(view(older).completed_at.has_value());
  auto rest = others(sent[0], {outcome_of(sent[0], 2, outcome_status::skipped),
                               outcome_of(sent[0], 3, outcome_status::skipped)});
  for (auto& one : rest.others)
    one.reason = "superseded";
  flush({accept(sent[0], 1, 1)});
  EXPECT_TRUE(live.take().empty());
  flush({rest});
  complete({older});
  expect_closed(older, 4);
  EXPECT_EQ(view(older).status, job_status::superseded) << "late outcomes add counts only";
  EXPECT_EQ(view(older).counts.accepted, 2);
  const auto works = live.take();
  for (const auto& one : works)
    EXPECT_EQ(one->key.job, newer);
  EXPECT_EQ(tokens_sent(works), (texts{"t0", "t1", "t2", "t3"}));
}

TEST_P(store_contract, what_is_not_answered_holds_up_its_own_device_alone) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 4);
  const auto older = live.update("a");
  const auto sent = live.take();
  ASSERT_EQ(sent.size(), 1u);
  flush({accept(sent[0], 0, 3)});
  const auto newer = live.update("a");
  EXPECT_TRUE(live.take().empty());
  advance(std::chrono::milliseconds{300});
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(tokens_in(works[0]), (texts{"t0", "t1", "t2"}));
  EXPECT_EQ(view(newer).total, 4);
  flush({accept(works[0])});
  advance(a_second);
  EXPECT_TRUE(live.take().empty()) << "its older request is still in flight";
  flush({others(sent[0], {outcome_of(sent[0], 3, outcome_status::unknown)})});
  complete({older});
  advance(a_second);
  const auto last = live.take();
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last[0]->kind, work_kind::retry);
  EXPECT_EQ(tokens_in(last[0]), (texts{"t3"}));
  flush({accept(last[0])});
  complete({newer});
  expect_closed(newer, 4);
  expect_closed(older, 4);
  EXPECT_EQ(view(newer).counts.accepted, 4);
}

TEST_P(store_contract, an_update_has_its_chance_before_a_newer_one_ends_it) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 2);
  const auto first = live.update("a");
  const auto sent = live.take();
  const auto second = live.update("a");
  const auto third = live.update("a");
  EXPECT_TRUE(live.take().empty());
  EXPECT_EQ(view(first).status, job_status::in_progress) << "nothing of it is answered yet";
  EXPECT_EQ(view(second).status, job_status::superseded) << "what waits is replaced";
  EXPECT_EQ(view(third).status, job_status::queued);
  expect_closed(second, 0);
  flush({accept(sent.at(0))});
  complete({first});
  EXPECT_EQ(view(first).status, job_status::completed);
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(works[0]->key.job, third);
}

TEST_P(store_contract, an_update_that_shows_no_outcome_is_replaced_after_a_second) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 2);
  const auto first = live.update("a");
  plan_all();
  const auto second = live.update("a");
  plan_all();
  EXPECT_EQ(view(first).status, job_status::queued);
  advance(a_second);
  plan_all();
  EXPECT_EQ(view(first).status, job_status::superseded);
  expect_closed(first, 2);
  EXPECT_EQ(view(first).counts.skipped, 2);
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(works[0]->key.job, second);
}

TEST_P(store_contract, a_failed_or_cancelled_newer_update_does_not_supersede) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 2);
  const auto older = live.update("a");
  const auto newer = live.update("a");
  cancel(newer);
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(works[0]->key.job, older);
  flush({accept(works[0])});
  complete({older});
  EXPECT_EQ(view(older).status, job_status::completed);
}

TEST_P(store_contract, the_next_update_goes_on_where_the_superseded_one_stopped) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 6);
  live.update("a");
  plan_all(2);
  auto first = claim({{apns, 2}}, 1).works;
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(tokens_in(first[0]), (texts{"t0", "t1"}));
  auto cut = others(first[0], {outcome_of(first[0], 1, outcome_status::skipped)});
  cut.others[0].reason = "superseded";
  flush({accept(first[0], 0, 1)});
  live.update("a");
  plan_all(2);
  flush({cut});
  plan_all(2);
  texts order;
  for (int i = 0; i < 4; ++i)
    for (const auto& one : claim({{apns, 2}}, 1).works)
      for (const auto& token : tokens_in(one))
        order.push_back(token);
  EXPECT_EQ(order, (texts{"t1", "t2", "t3", "t4", "t5", "t0"}));
}

TEST_P(store_contract, updates_ten_times_as_fast_as_a_pass_reach_every_device_in_every_pass) {
  constexpr int devices = 40;
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", devices);
  std::map<std::string, int> got;
  // Each round sends a tenth of the devices, in two chunks of which the second is cut short.
  for (int round = 0; round < 3 * 14; ++round) {
    live.update("a");
    plan_all(3);
    const auto works = claim({{apns, 6}}, 2).works;
    ASSERT_EQ(works.size(), 2u) << "round " << round;
    for (std::size_t i = 0; i < works.size(); ++i) {
      const auto tokens = tokens_in(works[i]);
      const auto sent = i == 0 ? tokens.size() : 1;
      for (std::size_t k = 0; k < sent; ++k)
        ++got[tokens[k]];
      flush({accept(works[i], 0, sent)});
      std::vector<outcome> rest;
      for (auto k = sent; k < tokens.size(); ++k) {
        rest.push_back(outcome_of(works[i], k, outcome_status::skipped));
        rest.back().reason = "superseded";
      }
      if (!rest.empty()) {
        live.update("a");
        plan_all(3);
        flush({others(works[i], rest)});
      }
    }
    plan_all(3);
  }
  EXPECT_EQ(got.size(), static_cast<std::size_t>(devices));
  for (const auto& [token, times] : got)
    EXPECT_GE(times, 2) << token;
}

TEST_P(store_contract, an_end_drops_what_waits_of_updates_and_the_start) {
  activity_session live{*this};
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  const auto start = live.start("a", scope_kind::user, "u");
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  flush({others(works[0], {retry_of(works[0], 0, std::chrono::seconds{30})})});
  const auto update = live.update("a");
  const auto end = live.end("a");
  const auto ending = live.take();
  EXPECT_EQ(view(update).status, job_status::superseded);
  EXPECT_TRUE(view(start).completed_at.has_value()) << "its retry after the end is dropped";
  EXPECT_EQ(view(start).counts.skipped, 1);
  ASSERT_EQ(ending.size(), 1u);
  EXPECT_EQ(ending[0]->key.job, end);
  flush({accept(ending[0])});
  complete({end});
  advance(std::chrono::minutes{1});
  EXPECT_TRUE(live.take().empty());
  EXPECT_EQ(live.view("a").status, activity_status::closed);
}

TEST_P(store_contract, a_newer_update_overtakes_the_retry_of_a_start) {
  activity_session live{*this};
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  const auto start = live.start("a", scope_kind::user, "u");
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  flush({others(works[0], {retry_of(works[0], 0, std::chrono::seconds{10})})});
  complete({start});
  const auto update = live.update("a");
  const auto newer = live.take();
  ASSERT_EQ(newer.size(), 1u);
  EXPECT_EQ(newer[0]->key.job, update);
  flush({accept(newer[0])});
  complete({update});
  advance(std::chrono::seconds{20});
  const auto late = live.take();
  ASSERT_EQ(late.size(), 1u);
  EXPECT_TRUE(late[0]->targets.empty()) << "the device has newer content";
  flush({settled(late[0])});
  complete({start});
  expect_closed(start, 1);
  EXPECT_EQ(view(start).counts.skipped, 1);
}

TEST_P(store_contract, a_retry_of_a_start_in_flight_keeps_newer_ones_waiting) {
  activity_session live{*this};
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  const auto start = live.start("a", scope_kind::user, "u");
  auto works = live.take();
  flush({others(works.at(0), {retry_of(works.at(0), 0, a_second)})});
  complete({start});
  advance(std::chrono::seconds{2});
  works = live.take();
  ASSERT_EQ(works.size(), 1u);
  live.update("a");
  EXPECT_TRUE(live.take().empty());
  flush({accept(works[0])});
  complete({start});
  EXPECT_EQ(tokens_sent(live.take()), (texts{"android"}));
}

TEST_P(store_contract, many_that_wait_for_their_turn_do_not_hide_one_that_can_go) {
  activity_session live{*this};
  constexpr int waiting = 200;
  for (int i = 0; i <= waiting; ++i) {
    const auto name = std::to_string(i);
    live.add_token("u" + name, "start" + name, token_kind::start);
    live.start("a" + name, scope_kind::user, "u" + name);
  }
  run_to_the_end();
  for (int i = 0; i <= waiting; ++i) {
    const auto name = std::to_string(i);
    live.add_token("u" + name, "t" + name, token_kind::update, "a" + name);
  }
  for (int i = 0; i < waiting; ++i)
    live.update("a" + std::to_string(i));
  const auto in_flight = live.take();
  ASSERT_EQ(targets_in(in_flight), static_cast<std::size_t>(waiting));
  for (int i = 0; i < waiting; ++i)
    live.update("a" + std::to_string(i));
  live.update("a" + std::to_string(waiting));
  const auto works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"t" + std::to_string(waiting)}));
  flush({accept(in_flight[7])});
  complete({in_flight[7]->key.job});
  EXPECT_EQ(targets_in(live.take()), 1u) << "what has moved is looked at again at once";
}

TEST_P(store_contract, a_pause_of_a_topic_or_user_holds_its_activities) {
  activity_session live{*this};
  live.add_token("r", "other start", token_kind::start, {}, "race");
  live.begin("z", scope_kind::topic, "race");
  live.add_token("r", "other", token_kind::update, "z", "race");
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 2);
  work_rule rule;
  rule.topic = "match";
  const auto stop = pause(rule);
  live.update("a");
  EXPECT_TRUE(live.take().empty());
  live.update("z");
  EXPECT_EQ(tokens_sent(live.take()), (texts{"other"}));
  EXPECT_EQ(resume(stop.id), errc::ok);
  EXPECT_EQ(targets_in(live.take()), 2u);
  EXPECT_EQ(cancel_jobs(rule).cancelled.size(), 1u);
}

TEST_P(store_contract, a_start_that_is_parked_holds_back_the_update_behind_it) {
  activity_session live{*this};
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  const auto start = live.start("a", scope_kind::user, "u");
  plan_all();
  work_rule rule;
  rule.job = start;
  const auto stop = pause(rule);
  EXPECT_TRUE(claim_all().works.empty());
  const auto update = live.update("a");
  EXPECT_TRUE(live.take().empty());
  EXPECT_EQ(resume(stop.id), errc::ok);
  const auto first = live.take();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0]->key.job, start);
  flush({accept(first[0])});
  complete({start});
  const auto then = live.take();
  ASSERT_EQ(then.size(), 1u);
  EXPECT_EQ(then[0]->key.job, update);
}

TEST_P(store_contract, a_dispatch_for_a_few_devices_goes_out_with_its_acceptance) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  const auto start = commit(live.start_job("a", scope_kind::user, "u"), true);
  ASSERT_EQ(start.taken.size(), 2u);
  EXPECT_EQ(tokens_sent(start.taken), (texts{"android", "start"}));
  EXPECT_EQ(start.taken[0]->job->activity->seq, 1);
  for (const auto& one : start.taken)
    flush({accept(one)});
  complete({start.taken[0]->key.job});
  live.add_token("u", "device", token_kind::update, "a");
  const auto update = commit(live.request(activity_action::update, "a"), true);
  EXPECT_EQ(tokens_sent(update.taken), (texts{"android", "device"}));
  const auto waits = commit(live.request(activity_action::update, "a"), true);
  EXPECT_TRUE(waits.taken.empty()) << "the one before is in flight";
  EXPECT_TRUE(live.take().empty());
  for (const auto& one : update.taken)
    flush({accept(one)});
  complete({update.taken[0]->key.job});
  expect_closed(update.taken[0]->key.job, 2);
  EXPECT_EQ(tokens_sent(live.take()), (texts{"android", "device"}));
}

TEST_P(store_contract, what_is_for_many_or_paused_is_left_to_the_planner) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 40);
  const auto large = commit(live.request(activity_action::update, "a"), true);
  EXPECT_TRUE(large.taken.empty());
  EXPECT_EQ(targets_in(live.take()), 40u);
  live.add_token("u", "other start", token_kind::start);
  live.begin("b", scope_kind::user, "u");
  live.add_token("u", "device", token_kind::update, "b");
  work_rule rule;
  rule.user = "u";
  const auto stop = pause(rule);
  EXPECT_TRUE(commit(live.request(activity_action::update, "b"), true).taken.empty());
  EXPECT_TRUE(live.take().empty());
  resume(stop.id);
  EXPECT_EQ(tokens_sent(live.take()), (texts{"device"}));
}

TEST_P(store_contract, without_targets_it_is_over_with_its_acceptance) {
  activity_session live{*this};
  add_token("u", "a push token");
  const auto start = commit(live.start_job("a", scope_kind::user, "u"), true);
  EXPECT_EQ(start.status, job_status::completed);
  EXPECT_EQ(live.view("a").status, activity_status::failed);
  live.add_token("u", "start", token_kind::start);
  live.begin("b", scope_kind::user, "u");
  const auto end = commit(live.request(activity_action::end, "b", {}), true);
  EXPECT_EQ(end.status, job_status::completed);
  EXPECT_EQ(live.view("b").status, activity_status::closed);
}

TEST_P(store_contract, what_was_sent_to_all_is_completed_and_not_superseded) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 2);
  const auto first = live.update("a");
  flush({accept(live.take().at(0))});
  live.update("a");
  EXPECT_EQ(targets_in(live.take()), 2u);
  EXPECT_EQ(view(first).status, job_status::completed);
  expect_closed(first, 2);
}

TEST_P(store_contract, what_is_cut_late_moves_no_plan_that_has_begun) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 600);
  const auto older = live.update("a");
  plan_all(2);
  const auto sent = claim({{apns, 4}}, 2).works;
  ASSERT_EQ(sent.size(), 2u);
  flush({accept(sent[0], 0, 1), accept(sent[1], 0, 1)});
  const auto newer = live.update("a");
  plan_all(2);
  advance(std::chrono::milliseconds{300});
  plan_all(2); // as far ahead as it may be
  auto cut = others(sent[0], {outcome_of(sent[0], 1, outcome_status::skipped)});
  cut.others[0].reason = "superseded";
  flush({cut});
  std::map<std::string, int> got;
  for (int round = 0; round < 1'000 && !view(newer).completed_at; ++round) {
    plan_all(2);
    for (const auto& one : claim_all().works) {
      for (const auto& token : tokens_in(one))
        got[token] += one->key.job == newer ? 1 : 0;
      flush({accept(one), settled(one)});
      complete({one->key.job});
    }
    advance(std::chrono::milliseconds{200});
    if (round == 2) {
      flush({others(sent[1], {outcome_of(sent[1], 1, outcome_status::unknown)})});
      complete({older});
    }
    sweep();
  }
  expect_closed(newer, 600);
  EXPECT_EQ(got.size(), 600u);
  for (const auto& [token, times] : got)
    EXPECT_EQ(times, 1) << token;
}

TEST_P(store_contract, turns_survive_a_crash) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 3);
  const auto older = live.update("a");
  const auto sent = live.take();
  flush({accept(sent.at(0), 0, 1)});
  const auto newer = live.update("a");
  plan_all();
  crash_and_reopen();
  sweep();
  const auto works = live.take();
  for (const auto& one : works)
    EXPECT_EQ(one->key.job, newer);
  EXPECT_EQ(tokens_sent(works), (texts{"t0", "t1", "t2"}));
  expect_closed(older, 3);
  EXPECT_EQ(view(older).counts.skipped, 2);
}

TEST_P(store_contract, dispatches_are_listed_newest_first) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  live.begin("a", scope_kind::user, "u");
  const auto update = live.update("a");
  run_to_the_end();
  const auto end = live.end("a");
  run_to_the_end();
  const auto page = await<page_of<dispatch_view>>([&](auto done) {
    store().activities().list_dispatches(default_app, "a", {{}, 2}, std::move(done));
  });
  ASSERT_EQ(page.value.items.size(), 2u);
  EXPECT_EQ(page.value.items[0].job.id, end);
  EXPECT_EQ(page.value.items[0].action, activity_action::end);
  EXPECT_EQ(page.value.items[1].job.id, update);
  const auto rest = await<page_of<dispatch_view>>([&](auto done) {
    store().activities().list_dispatches(default_app, "a", {page.value.next, 2}, std::move(done));
  });
  ASSERT_EQ(rest.value.items.size(), 1u);
  EXPECT_EQ(rest.value.items[0].action, activity_action::start);
  EXPECT_TRUE(rest.value.next.empty());
}

TEST_P(store_contract, pushes_and_activities_keep_their_tokens_apart) {
  activity_session live{*this};
  add_token("u", "same", {"news"}, fcm);
  live.add_token("u", "same", token_kind::update, {}, {}, fcm);
  const auto push = commit(user_job("u"));
  EXPECT_EQ(push.code, errc::ok);
  auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(targets_in(works), 1u);
  flush({accept(works[0])});
  EXPECT_EQ(tokens_of("u").size(), 1u);
  await<unit>([&](auto done) {
    store().activities().delete_activity_token(default_app, "u", "same", std::move(done));
  });
  EXPECT_EQ(tokens_of("u").size(), 1u);
  live.start("a", scope_kind::user, "u");
  EXPECT_TRUE(live.take().empty());
}

TEST_P(store_contract, an_update_through_a_channel_is_one_request) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  auto start = live.start_job("a", scope_kind::topic, "match");
  start.activity->channel = "channel id";
  EXPECT_EQ(live.commit(start).code, errc::ok);
  run_to_the_end();
  live.add_audience("match", "a", 3);
  live.update("a");
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(tokens_in(works[0]), (texts{"channel id"}));
  EXPECT_EQ(works[0]->job->activity->channel, "channel id");
}

} // namespace

} // namespace signalbox::contract
