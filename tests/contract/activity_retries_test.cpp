// Live Activities: what becomes of what an older dispatch still has to send.

#include "tests/contract/activity_session.hpp"

namespace signalbox::contract {

namespace {

constexpr std::chrono::seconds a_second{1};

class with_a_start_that_waits : public activity_session {
public:
  explicit with_a_start_that_waits(store_session& session)
    : activity_session{session}, session_{session} {}

  /// A start to one device, answered by "later".
  job_id start_later(std::chrono::milliseconds delay) {
    const auto job = start("a", scope_kind::user, "u");
    const auto works = take();
    EXPECT_EQ(targets_in(works), 1u);
    for (const auto& one : works)
      session_.flush({session_.others(one, {session_.retry_of(one, 0, delay)})});
    session_.complete({job});
    return job;
  }

  void accept_all(const std::vector<work_ptr>& works) {
    for (const auto& one : works) {
      session_.flush({session_.settled(one), session_.accept(one)});
      session_.complete({one->key.job});
    }
  }

  /// What is due of a start to one device is not sent, since the device has newer content.
  void expect_dropped(const job_id& start) {
    const auto late = take();
    EXPECT_TRUE(tokens_sent(late).empty()) << "the device has newer content";
    accept_all(late);
    session_.expect_closed(start, 1);
    EXPECT_EQ(session_.view(start).counts.skipped, 1);
  }

private:
  store_session& session_;
};

TEST_P(store_contract, a_start_that_fcm_took_at_its_retry_binds_the_device) {
  with_a_start_that_waits live{*this};
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  const auto start = live.start_later(a_second);
  advance(a_second);
  live.accept_all(live.take());
  expect_closed(start, 1);
  live.update("a");
  EXPECT_EQ(tokens_sent(live.take()), (texts{"android"}));
}

TEST_P(store_contract, a_newer_update_leaves_the_retry_of_a_start_to_other_tokens) {
  with_a_start_that_waits live{*this};
  live.add_token("u", "start", token_kind::start);
  const auto start = live.start_later(std::chrono::seconds{10});
  live.update("a");
  live.accept_all(live.take());
  advance(std::chrono::seconds{20});
  const auto late = live.take();
  EXPECT_EQ(tokens_sent(late), (texts{"start"})) << "this device has nothing of the activity yet";
  live.accept_all(late);
  expect_closed(start, 1);
  EXPECT_EQ(view(start).counts.accepted, 1);
}

TEST_P(store_contract, an_end_drops_the_retry_of_a_start_to_other_tokens) {
  with_a_start_that_waits live{*this};
  live.add_token("u", "start", token_kind::start);
  const auto start = live.start_later(std::chrono::seconds{10});
  live.end("a");
  live.accept_all(live.take());
  advance(std::chrono::seconds{20});
  EXPECT_TRUE(live.take().empty());
  expect_closed(start, 1);
  EXPECT_EQ(view(start).counts.skipped, 1);
}

TEST_P(store_contract, an_end_drops_what_is_not_planned_or_not_claimed_of_a_start) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  const auto unplanned = live.start("a", scope_kind::user, "u");
  live.end("a");
  EXPECT_TRUE(live.take().empty());
  const auto unclaimed = live.start("b", scope_kind::user, "u");
  plan_all();
  live.end("b");
  EXPECT_TRUE(live.take().empty());
  sweep();
  expect_closed(unplanned, 0);
  expect_closed(unclaimed, 1);
  EXPECT_EQ(view(unclaimed).counts.skipped, 1);
}

TEST_P(store_contract, an_end_leaves_a_start_alone_that_is_over) {
  activity_session live{*this};
  live.add_token("u", "start", token_kind::start);
  const auto start = live.start("a", scope_kind::user, "u");
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  flush({accept(works[0])});
  live.end("a");
  plan_all();
  complete({start});
  EXPECT_EQ(view(start).status, job_status::completed);
}

TEST_P(store_contract, the_retry_of_a_start_goes_to_those_that_an_update_was_not_for) {
  with_a_start_that_waits live{*this};
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  const auto start = live.start_later(std::chrono::seconds{90});
  advance(std::chrono::seconds{70});
  live.update("a");
  EXPECT_TRUE(live.take().empty()) << "nothing is bound";
  advance(std::chrono::seconds{30});
  const auto late = live.take();
  EXPECT_EQ(tokens_sent(late), (texts{"android"}));
  live.accept_all(late);
  expect_closed(start, 1);
  EXPECT_EQ(view(start).counts.accepted, 1);
}

TEST_P(store_contract, the_retry_of_a_start_does_not_follow_an_update_to_a_bound_device) {
  with_a_start_that_waits live{*this};
  live.add_token("u", "android", token_kind::update, "a", {}, fcm);
  const auto start = live.start_later(std::chrono::seconds{90});
  advance(std::chrono::seconds{70});
  live.update("a");
  const auto works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"android"}));
  live.accept_all(works);
  advance(std::chrono::seconds{30});
  live.expect_dropped(start);
}

TEST_P(store_contract, the_retry_of_a_start_goes_out_where_the_newer_update_was_cancelled_before) {
  with_a_start_that_waits live{*this};
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  const auto start = live.start_later(std::chrono::seconds{10});
  const auto update = live.update("a");
  plan_all();
  cancel(update);
  advance(std::chrono::seconds{20});
  const auto late = live.take();
  EXPECT_EQ(tokens_sent(late), (texts{"android"}));
  live.accept_all(late);
  expect_closed(start, 1);
  EXPECT_EQ(view(start).counts.accepted, 1);
}

TEST_P(store_contract, the_retry_of_a_start_is_dropped_where_a_cancelled_update_has_been) {
  with_a_start_that_waits live{*this};
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  const auto start = live.start_later(std::chrono::seconds{10});
  const auto update = live.update("a");
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  cancel(update);
  flush({accept(works[0])});
  complete({update});
  advance(std::chrono::seconds{20});
  live.expect_dropped(start);
}

TEST_P(store_contract, the_retry_of_a_start_is_dropped_where_a_cancelled_update_is_in_flight) {
  with_a_start_that_waits live{*this};
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  const auto start = live.start_later(std::chrono::seconds{5});
  const auto update = live.update("a");
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  cancel(update);
  advance(std::chrono::seconds{5});
  const auto late = live.take();
  EXPECT_TRUE(tokens_sent(late).empty()) << "it may arrive";
  live.accept_all(late);
  flush({accept(works[0])});
  complete({update});
  expect_closed(start, 1);
  expect_closed(update, 1);
}

TEST_P(store_contract, the_retry_of_a_start_goes_out_where_the_newer_update_expired_unsent) {
  with_a_start_that_waits live{*this};
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  const auto start = live.start_later(std::chrono::seconds{10});
  auto update = live.request(activity_action::update, "a");
  update.options.expires_at = now() + a_second;
  EXPECT_EQ(live.commit(update).code, errc::ok);
  plan_all();
  advance(std::chrono::seconds{20});
  sweep();
  EXPECT_EQ(view(update.id).status, job_status::expired);
  const auto late = live.take();
  EXPECT_EQ(tokens_sent(late), (texts{"android"}));
  live.accept_all(late);
  expect_closed(start, 1);
}

TEST_P(store_contract, an_update_that_has_not_begun_leaves_the_retry_of_a_start) {
  with_a_start_that_waits live{*this};
  live.add_token("u", "android", token_kind::update, "a", {}, fcm);
  live.start_later(a_second);
  advance(a_second);
  live.update("a");
  EXPECT_EQ(tokens_sent(claim_all().works), (texts{"android"}));
  EXPECT_TRUE(live.take().empty()) << "and waits for its answer";
}

TEST_P(store_contract, an_update_in_another_pool_leaves_a_start_that_is_not_claimed_yet) {
  activity_session live{*this};
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  live.add_token("u", "device", token_kind::update);
  const auto start = live.start("a", scope_kind::user, "u");
  plan_all();
  live.update("a");
  plan_all();
  const auto works = claim_all().works;
  EXPECT_EQ(tokens_sent(works), (texts{"android", "device"}));
  for (const auto& one : works)
    EXPECT_EQ(one->key.job == start, one->dest == fcm);
}

TEST_P(store_contract, dropping_a_retry_does_not_move_where_another_activity_goes_on) {
  with_a_start_that_waits live{*this};
  live.add_audience("match", "z", 1, fcm);
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  live.add_audience("match", "z", 3, fcm); // two more, behind that device
  const auto start = live.start_later(std::chrono::seconds{10});
  live.update("a");
  live.accept_all(live.take());
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("z", scope_kind::topic, "match");
  advance(std::chrono::seconds{20});
  const auto late = live.take();
  ASSERT_EQ(late.size(), 1u);
  const auto update = live.update("z");
  const auto works = live.take();
  ASSERT_EQ(targets_in(works), 3u);
  flush({settled(late[0]), accept(works[0], 0, 1)});
  flush({accept(works[0], 1, 2)});
  complete({start, update});
  live.update("z");
  plan_all(1);
  texts order;
  for (int i = 0; i < 3; ++i)
    for (const auto& one : claim({{fcm, 1}}, 1).works)
      order.push_back(tokens_in(one).at(0));
  EXPECT_EQ(order, (texts{"t0", "t1", "t2"}));
}

// The order of a start and of an update to one device, when the start's owner is lost.
TEST_P(store_contract, a_start_that_is_claimed_again_does_not_follow_a_newer_update) {
  activity_session live{*this};
  live.add_token("u", "one", token_kind::update, {}, {}, fcm);
  live.add_token("u", "two", token_kind::update, {}, {}, fcm);
  const auto start = live.start("a", scope_kind::user, "u");
  const auto lost = live.take();
  ASSERT_EQ(lost.size(), 1u);
  flush({accept(lost[0], 0, 1)});
  const auto update = live.update("a");
  plan_all();
  advance(std::chrono::milliseconds{300});
  auto works = live.take();
  ASSERT_EQ(works.size(), 1u) << "the other one still has its start in flight";
  flush({accept(works[0])});
  crash_and_reopen();
  advance(a_second);
  std::vector<std::string> order;
  for (int i = 0; i < 3; ++i) {
    works = live.take();
    for (const auto& one : works) {
      for (const auto& token : tokens_in(one))
        order.push_back(token + (one->key.job == start ? " start" : " update"));
      flush({settled(one), accept(one)});
      complete({one->key.job});
    }
    advance(a_second);
  }
  const auto last = tokens_in(lost[0])[1];
  EXPECT_EQ(order, (texts{last + " update"}));
  expect_closed(start, 2);
  expect_closed(update, 2);
  EXPECT_EQ(view(start).counts.skipped, 1);
}

// FCM devices get updates by the token that the start goes to.
TEST_P(store_contract, an_update_waits_until_a_start_to_its_tokens_is_claimed) {
  activity_session live{*this};
  live.add_token("u", "android", token_kind::update, {}, {}, fcm);
  const auto start = live.start("a", scope_kind::user, "u");
  plan_all();
  const auto update = live.update("a");
  plan_all();
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(works[0]->key.job, start);
  flush({accept(works[0])});
  const auto next = live.take();
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next[0]->key.job, update);
}

TEST_P(store_contract, an_update_waits_until_a_start_to_its_tokens_is_planned) {
  constexpr int devices = 300; // more chunks of one than are planned ahead
  activity_session live{*this};
  for (int i = 0; i < devices; ++i)
    live.add_token("s" + std::to_string(i), "t" + std::to_string(i), token_kind::update, {},
                   "match", fcm);
  live.start("a", scope_kind::topic, "match");
  plan_all(1);
  const auto update = live.update("a");
  plan_all(1);
  auto claimed = claim_all().works;
  for (auto more = claim_all().works; !more.empty(); more = claim_all().works)
    claimed.insert(claimed.end(), more.begin(), more.end());
  ASSERT_LT(claimed.size(), static_cast<std::size_t>(devices)) << "the start is half planned";
  advance(a_second);
  plan_all(1);
  EXPECT_EQ(view(update).planned, 0);
}

TEST_P(store_contract, a_device_set_apart_gets_the_newest_when_its_own_update_is_superseded) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 3);
  const auto oldest = live.update("a");
  const auto sent = live.take();
  ASSERT_EQ(sent.size(), 1u);
  flush({accept(sent[0], 0, 2)});
  const auto middle = live.update("a");
  plan_all();
  advance(std::chrono::milliseconds{300});
  auto works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"t0", "t1"}));
  flush({accept(works.at(0))});
  const auto newest = live.update("a");
  plan_all();
  EXPECT_EQ(view(middle).status, job_status::superseded);
  expect_closed(middle, 3);
  EXPECT_EQ(view(middle).counts.skipped, 1) << "the one that was set apart";
  advance(std::chrono::milliseconds{300});
  works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"t0", "t1"}));
  flush({accept(works.at(0))});
  flush({others(sent[0], {outcome_of(sent[0], 2, outcome_status::unknown)})});
  complete({oldest});
  advance(a_second);
  works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"t2"}));
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(works[0]->key.job, newest);
  flush({accept(works[0])});
  complete({newest});
  expect_closed(oldest, 3);
  expect_closed(newest, 3);
  EXPECT_EQ(view(newest).counts.accepted, 3);
}

TEST_P(store_contract, a_retry_in_flight_of_an_older_update_sets_its_device_apart) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 2);
  const auto older = live.update("a");
  auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  flush({accept(works[0], 0, 1), others(works[0], {retry_of(works[0], 1, a_second)})});
  complete({older});
  advance(a_second);
  const auto again = live.take();
  EXPECT_EQ(tokens_sent(again), (texts{"t1"}));
  const auto newer = live.update("a");
  EXPECT_TRUE(live.take().empty()) << "a request is in flight";
  EXPECT_EQ(view(older).status, job_status::superseded);
  EXPECT_FALSE(view(older).completed_at.has_value());
  advance(std::chrono::milliseconds{300});
  EXPECT_EQ(tokens_sent(live.take()), (texts{"t0"}));
  flush({accept(again.at(0))});
  complete({older});
  expect_closed(older, 2);
  EXPECT_EQ(view(older).counts.accepted, 2);
  advance(a_second);
  works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"t1"}));
  EXPECT_EQ(works.at(0)->key.job, newer);
}

TEST_P(store_contract, a_device_set_apart_waits_no_longer_when_the_clock_is_put_back) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 2);
  live.update("a");
  const auto sent = live.take().at(0);
  flush({accept(sent, 0, 1)});
  live.update("a");
  plan_all();
  advance(std::chrono::milliseconds{300});
  EXPECT_EQ(tokens_sent(live.take()), (texts{"t0"}));
  advance(5 * a_second);
  EXPECT_TRUE(live.take().empty()) << "a request to t1 is in flight";
  EXPECT_FALSE(sweep().work_due) << "until the next look";
  flush({accept(sent, 1, 1)});
  advance(std::chrono::hours{-1});
  sweep();
  advance(a_second);
  EXPECT_EQ(tokens_sent(live.take()), (texts{"t1"}));
}

// They were due one after the other, and are in packs of their own.
TEST_P(store_contract, a_retry_that_was_answered_sets_no_device_apart_for_others_in_flight) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 2);
  const auto older = live.update("a");
  const auto sent = live.take().at(0);
  flush({others(sent, {retry_of(sent, 0, a_second), retry_of(sent, 1, 2 * a_second)})});
  complete({older});
  advance(2 * a_second);
  const auto again = live.take();
  EXPECT_EQ(tokens_sent(again), (texts{"t0", "t1"}));
  flush({accept(again.at(0), 0, 1)});
  live.update("a");
  EXPECT_TRUE(live.take().empty()) << "a request is in flight";
  advance(std::chrono::milliseconds{300});
  EXPECT_EQ(tokens_sent(live.take()), (texts{"t0"}));
}

TEST_P(store_contract, devices_set_apart_get_their_own_turns_as_they_are_answered) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 4);
  const auto older = live.update("a");
  const auto sent = live.take();
  ASSERT_EQ(sent.size(), 1u);
  flush({accept(sent[0], 0, 1)});
  const auto newer = live.update("a");
  plan_all();
  advance(std::chrono::milliseconds{300});
  EXPECT_EQ(tokens_sent(live.take()), (texts{"t0"}));
  flush({accept(sent[0], 1, 2)});
  advance(std::chrono::milliseconds{100});
  const auto works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"t1", "t2"})) << "a request to t3 is in flight";
  flush({accept(works.at(0), 0, 1)});
  advance(a_second);
  EXPECT_TRUE(live.take().empty());
  flush({accept(sent[0], 3, 1)});
  complete({older});
  expect_closed(older, 4);
  advance(a_second);
  const auto last = live.take();
  EXPECT_EQ(tokens_sent(last), (texts{"t3"}));
  EXPECT_EQ(flush({accept(works.at(0), 1, 1), accept(last.at(0))}).stale, 0u);
  EXPECT_EQ(view(newer).counts.accepted, 3) << "all but t0, which is under way";
}

TEST_P(store_contract, planning_names_the_dispatches_that_it_has_superseded) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 2);
  const auto sent = live.update("a");
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  flush({accept(works[0], 0, 1)});
  const auto unsent = live.update("a");
  live.update("a");
  std::vector<job_id> superseded;
  for (bool more = true; more;) {
    const auto step =
      await<plan_result>([&](auto done) { store().jobs().plan("push", 100, std::move(done)); });
    ASSERT_TRUE(step.ok()) << step.message;
    superseded.insert(superseded.end(), step.value.superseded.begin(), step.value.superseded.end());
    more = step.value.more && superseded.size() < 2;
  }
  std::sort(superseded.begin(), superseded.end());
  EXPECT_EQ(superseded, (std::vector<job_id>{sent, unsent})) << "their senders have to stop";
}

TEST_P(store_contract, a_retry_of_a_superseded_update_is_dropped) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 2);
  const auto older = live.update("a");
  auto works = live.take();
  ASSERT_EQ(works.size(), 1u);
  flush({accept(works[0], 0, 1), others(works[0], {retry_of(works[0], 1, a_second)})});
  complete({older});
  live.update("a");
  works = live.take();
  EXPECT_EQ(tokens_sent(works), (texts{"t0", "t1"})) << "a waiting retry holds up nothing";
  expect_closed(older, 2);
  EXPECT_EQ(view(older).counts.skipped, 1);
  advance(std::chrono::seconds{2});
  EXPECT_TRUE(live.take().empty());
}

TEST_P(store_contract, turns_go_on_when_the_clock_is_put_back) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 2);
  const auto first = live.update("a");
  const auto sent = live.take();
  ASSERT_EQ(sent.size(), 1u);
  const auto second = live.update("a");
  EXPECT_TRUE(live.take().empty()) << "nothing of the first is answered yet";
  advance(-std::chrono::hours{1});
  EXPECT_TRUE(live.take().empty());
  EXPECT_EQ(view(first).status, job_status::superseded) << "its second cannot be measured any more";
  flush({accept(sent[0], 0, 1)});
  advance(-std::chrono::hours{1});
  const auto works = live.take();
  ASSERT_EQ(works.size(), 1u) << "nor how long the others have waited for the last answer";
  EXPECT_EQ(works[0]->key.job, second);
  EXPECT_EQ(tokens_in(works[0]), (texts{"t0"}));
}

TEST_P(store_contract, an_update_that_was_cancelled_in_flight_is_not_waited_for) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 2);
  const auto first = live.update("a");
  EXPECT_EQ(live.take().size(), 1u);
  cancel(first);
  const auto second = live.update("a");
  plan_all();
  advance(std::chrono::milliseconds{300});
  plan_all();
  EXPECT_EQ(view(second).total, 2) << "both devices are set apart until they have their answers";
}

TEST_P(store_contract, the_first_device_that_was_not_reached_is_the_next_ones_first) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 6);
  const auto cut = [&](const work_ptr& from) {
    auto rest = others(from, {outcome_of(from, 1, outcome_status::skipped)});
    rest.others[0].reason = "superseded";
    return rest;
  };
  const auto oldest = live.update("a");
  plan_all(2);
  auto works = claim({{apns, 4}}, 2).works;
  ASSERT_EQ(works.size(), 2u);
  flush({accept(works[0], 0, 1), accept(works[1], 0, 1)});
  const auto middle = live.update("a");
  plan_all(2);
  flush({cut(works[0])});
  flush({cut(works[1])});
  complete({oldest});
  plan_all(2);
  works = claim({{apns, 2}}, 1).works;
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(tokens_in(works[0]), (texts{"t1", "t2"})) << "and not where the last outcome was";
  flush({accept(works[0], 0, 1)});
  live.update("a");
  plan_all(2);
  flush({cut(works[0])});
  complete({middle});
  plan_all(2);
  works = claim({{apns, 2}}, 1).works;
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(tokens_in(works[0]), (texts{"t2", "t3"}));
}

TEST_P(store_contract, chunks_that_nobody_claimed_are_the_next_ones_first) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 6);
  live.update("a");
  plan_all(2);
  auto works = claim({{apns, 2}}, 1).works;
  ASSERT_EQ(works.size(), 1u);
  flush({accept(works[0])});
  live.update("a");
  plan_all(2);
  works = claim({{apns, 2}}, 1).works;
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(tokens_in(works[0]), (texts{"t2", "t3"}));
}

TEST_P(store_contract, a_late_outcome_of_an_older_update_does_not_move_where_the_next_goes_on) {
  activity_session live{*this};
  live.add_token("s", "start", token_kind::start, {}, "match");
  live.begin("a", scope_kind::topic, "match");
  live.add_audience("match", "a", 6);
  const auto skipped_from = [&](const work_ptr& from, std::size_t first) {
    std::vector<outcome> rest;
    for (auto k = first; k < from->targets.size(); ++k) {
      rest.push_back(outcome_of(from, k, outcome_status::skipped));
      rest.back().reason = "superseded";
    }
    return others(from, rest);
  };
  live.update("a");
  plan_all(2);
  const auto late = claim({{apns, 2}}, 1).works;
  ASSERT_EQ(late.size(), 1u);
  flush({accept(late[0], 0, 1)});
  live.update("a");
  plan_all(2);
  advance(std::chrono::milliseconds{300});
  plan_all(2);
  const auto works = claim({{apns, 2}}, 1).works; // from t2 on: there the first was cut
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(tokens_in(works[0]), (texts{"t2", "t3"}));
  flush({accept(works[0], 0, 1)});
  live.update("a");
  plan_all(2);
  flush({skipped_from(works[0], 1)});
  flush({skipped_from(late[0], 1)});
  plan_all(2);
  const auto next = claim({{apns, 2}}, 1).works;
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(tokens_in(next[0]), (texts{"t3", "t4"})) << "and not t1";
}

} // namespace

} // namespace signalbox::contract
