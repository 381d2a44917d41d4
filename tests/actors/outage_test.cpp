// What a whole lane does while its provider or its store is in trouble, in virtual time.

#include "actors/apns_verdict.hpp"
#include "actors/node_supervisor.hpp"
#include "tests/support/lane_world.hpp"

#include <algorithm>
#include <random>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class outage : public lane_world {
protected:
  void start_lane(std::function<void(lane_options&)> change = {}) {
    node_options options;
    options.restarts = {100ms, 1s, 1'000, 60s};
    options.lanes.push_back(small_lane("push"));
    if (change)
      change(options.lanes.back());
    start<node_supervisor_actor>(ports(), std::move(options));
    run();
  }

  // The provider answers at once, whatever it answers; every request is counted.
  void serve() {
    for (const auto& each : transports) {
      for (const auto& open : each->open)
        ++requests[open.of->dest];
      if (!each->open.empty())
        each->answer_all(counting());
    }
    run();
  }

  void pass(std::chrono::milliseconds time, std::chrono::milliseconds step = 250ms) {
    for (auto passed = 0ms; passed < time; passed += step) {
      serve();
      advance(step);
    }
  }

  void submit(new_job job) {
    jobs.push_back(job.id);
    door.submit(accepted_job(std::move(job), replies));
    door.pass_on();
    run();
  }

  void expect_all_delivered() {
    for (const auto& job : jobs) {
      finish(job);
      const auto account = store.ledger.account_of(job);
      EXPECT_EQ(account.counts.accepted, account.planned);
      EXPECT_EQ(account.status, job_status::completed);
    }
    EXPECT_TRUE(store.ledger.dead_letters().empty());
    EXPECT_EQ(store.ledger.leased(), 0u);
  }

  std::optional<breaker_view> breaker_at(const destination& dest,
                                         breaker_kind kind = breaker_kind::outage) {
    for (const auto& view : breakers.list())
      if (view.place == breaker_place{"push", dest, kind})
        return view;
    return std::nullopt;
  }

  breaker_state state_at(const destination& dest, breaker_kind kind = breaker_kind::outage) {
    const auto view = breaker_at(dest, kind);
    return view ? view->state : breaker_state::closed;
  }

  static bool to_production(const fake_transport::request& asked) {
    return asked.of->dest == apns_production;
  }

  // 503, no answer and no connection in turn.
  fake_transport::script dead() {
    return [this](const auto&) {
      ++failures_;
      return std::optional{failures_ % 3 == 0   ? status_answer(503, "ServiceUnavailable")
                           : failures_ % 3 == 1 ? unknown_answer()
                                                : no_connection_answer()};
    };
  }

  std::shared_ptr<reply_log> replies = std::make_shared<reply_log>();
  std::vector<job_id> jobs;
  std::map<destination, std::size_t> requests;

private:
  std::size_t failures_ = 0;
};

TEST_F(outage, six_hours_of_a_dead_provider_cost_no_target_anything) {
  add_topic("news", 60);
  start_lane();
  submit(topic_job(1, "news", clock.now()));
  pass(5s);
  script = dead();
  requests.clear();
  std::uint64_t n = 1;
  for (int i = 0; i < 36; ++i) {
    submit(topic_job(++n, "news", clock.now()));
    submit(token_job(++n, 1, clock.now()));
    pass(10min);
  }
  EXPECT_NE(state_at(apns_sandbox), breaker_state::closed) << "open, or a probe is under way";
  EXPECT_TRUE(store.ledger.dead_letters().empty());
  // 20 that open it, what was in flight by then, and a probe every 15 to 30 s.
  for (const auto& [dest, count] : requests) {
    EXPECT_LT(count, 60u + 6 * 3'600 / 15);
    EXPECT_GT(count, 20u + 6 * 3'600 / 60) << "it was probed all the time";
  }
  for (const auto& job : jobs)
    for (const auto& [token, attempts] : store.ledger.attempts_of(job))
      EXPECT_EQ(attempts, 0) << "of token " << token;
  // Claims look around now and then; nothing is claimed only to be released.

  EXPECT_LT(store.releases.size(), 4'000u);
  EXPECT_LT(store.claims.size(), 6u * 3'600 * 2 * 3);
  script = {};
  pass(2min);
  EXPECT_TRUE(breakers.list().empty());
  expect_all_delivered();
  EXPECT_EQ(duplicates(), 0u);
}

TEST_F(outage, a_lone_target_brings_on_the_breaker_and_not_a_dead_letter) {
  start_lane();
  script = dead();
  submit(token_job(1, 1, clock.now()));
  pass(10min);
  EXPECT_NE(state_at(apns_production), breaker_state::closed);
  EXPECT_EQ(store.ledger.attempts_of(job_number(1)).begin()->second, 0) << "refunded";
  script = {};
  expect_all_delivered();
}

TEST_F(outage, a_target_that_fails_for_itself_still_ends_as_a_dead_letter) {
  add_topic("news", 9);
  start_lane();
  script = [](const fake_transport::request& asked) {
    return asked.to().id == 2 ? std::optional{status_answer(503)} : std::nullopt;
  };
  std::uint64_t n = 0;
  submit(topic_job(++n, "news", clock.now()));
  for (int i = 0; i < 200 && store.ledger.dead_letters().empty(); ++i) {
    submit(token_job(++n, 1, clock.now())); // others are answered in between
    pass(500ms);
  }
  EXPECT_EQ(store.ledger.dead_letters().size(), 1u);
  EXPECT_TRUE(breakers.list().empty());
  EXPECT_EQ(lanes.counters("push")->dead_letters, 1u);
  finish(job_number(1));
  EXPECT_EQ(store.ledger.account_of(job_number(1)).counts.rejected, 1);
}

TEST_F(outage, deadlines_hold_all_the_same) {
  start_lane();
  script = dead();
  auto late = token_job(1, 30, clock.now());
  late.options.ttl = 60s;
  auto once = token_job(2, 1, clock.now());
  once.options.ttl = 0s;
  submit(std::move(once));
  pass(1s);
  submit(std::move(late));
  pass(5min);
  const auto single = store.ledger.account_of(job_number(2));
  EXPECT_TRUE(single.closed()) << "a ttl of 0 is tried once";
  script = {};
  finish(job_number(1));
  const auto account = store.ledger.account_of(job_number(1));
  EXPECT_EQ(account.counts.accepted, 0);
  EXPECT_EQ(account.counts.expired + account.counts.unknown, 30);
  EXPECT_TRUE(store.ledger.dead_letters().empty());
}

TEST_F(outage, one_destinations_breaker_does_not_touch_another_of_the_same_job) {
  add_topic("news", 300);
  start_lane();
  script = [](const fake_transport::request& asked) {
    return to_production(asked) ? std::optional{status_answer(503)} : std::nullopt;
  };
  submit(topic_job(1, "news", clock.now()));
  pass(10s, 20ms);
  EXPECT_NE(state_at(apns_production), breaker_state::closed);
  EXPECT_EQ(state_at(apns_sandbox), breaker_state::closed);
  EXPECT_EQ(store.ledger.account_of(job_number(1)).counts.accepted, 100);
  script = {};
  expect_all_delivered();
}

TEST_F(outage, a_probe_whose_sender_dies_is_followed_by_another) {
  add_topic("news", 300);
  start_lane();
  script = [](const fake_transport::request& asked) {
    return to_production(asked) ? std::optional{status_answer(503)} : std::nullopt;
  };
  submit(topic_job(1, "news", clock.now()));
  pass(500ms, 20ms);
  ASSERT_EQ(state_at(apns_production), breaker_state::open);
  const auto is_probed = [&] { return state_at(apns_production) == breaker_state::probing; };
  std::size_t prober = transports.size();
  for (int i = 0; i < 1'000 && prober == transports.size(); ++i) {
    advance(20ms);
    if (is_probed())
      for (prober = 0; prober < transports.size() && transports[prober]->open.empty(); ++prober)
        ;
  }
  ASSERT_LT(prober, transports.size());
  EXPECT_EQ(transports[prober]->open.size(), 1u) << "one request probes";
  crash(door.peers("push")->senders.at(prober));
  run();
  EXPECT_EQ(state_at(apns_production), breaker_state::open);
  script = {};
  expect_all_delivered();
}

TEST_F(outage, resetting_an_outage_sends_again_at_once) {
  add_topic("news", 30);
  start_lane();
  script = dead();
  submit(topic_job(1, "news", clock.now()));
  pass(5min);
  ASSERT_EQ(state_at(apns_production), breaker_state::open);
  script = {};
  door.reset_breakers("other", std::nullopt, std::nullopt);
  door.reset_breakers("push", apns_sandbox, breaker_kind::outage);
  door.reset_breakers("push", apns_production, breaker_kind::configuration);
  run();
  EXPECT_EQ(state_at(apns_production), breaker_state::open);
  EXPECT_EQ(state_at(apns_sandbox), breaker_state::ramping);
  door.reset_breakers("", apns_production, breaker_kind::outage);
  run();
  EXPECT_EQ(state_at(apns_production), breaker_state::ramping);
  pass(1s, 20ms);
  expect_all_delivered();
}

TEST_F(outage, refused_credentials_stop_all_but_a_request_every_few_minutes) {
  add_topic("news", 300);
  start_lane();
  script = [](const fake_transport::request& asked) {
    return to_production(asked) ? std::optional{status_answer(403, "InvalidProviderToken")}
                                : std::nullopt;
  };
  submit(topic_job(1, "news", clock.now()));
  pass(10s, 500ms);
  const auto view = breaker_at(apns_production, breaker_kind::configuration);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->state, breaker_state::open);
  EXPECT_EQ(view->reason, "InvalidProviderToken");
  EXPECT_TRUE(view->next_probe);
  EXPECT_LE(requests[apns_production], 40u) << "two windows";
  requests.clear();
  pass(1h, 500ms);
  EXPECT_GE(requests[apns_production], 60u / 4);
  EXPECT_LE(requests[apns_production], (2u + 60u / 2) * 3) << "past a few that were asked before";
  for (const auto& [token, attempts] : store.ledger.attempts_of(job_number(1)))
    EXPECT_EQ(attempts, 0) << "of token " << token;
  EXPECT_EQ(store.ledger.account_of(job_number(1)).counts.accepted, 100) << "the sandbox's";
  door.reset_breakers("", std::nullopt, breaker_kind::configuration);
  pass(1s);
  EXPECT_NE(state_at(apns_production, breaker_kind::configuration), breaker_state::closed)
    << "they are still refused";
  script = {};
  pass(6min);
  expect_all_delivered();
  EXPECT_TRUE(breakers.list().empty()) << "nobody had to reset anything";
}

TEST_F(outage, what_may_have_mended_the_configuration_is_tried_within_a_second) {
  add_topic("news", 300);
  start_lane();
  script = [](const auto&) { return std::optional{status_answer(403, "InvalidProviderToken")}; };
  submit(topic_job(1, "news", clock.now()));
  pass(30min, 500ms);
  ASSERT_EQ(state_at(apns_production, breaker_kind::configuration), breaker_state::open);
  ASSERT_EQ(state_at(apns_sandbox, breaker_kind::configuration), breaker_state::open);
  script = {};
  door.probe_now(apns_production);
  run();
  pass(1s, 20ms);
  EXPECT_EQ(state_at(apns_production, breaker_kind::configuration), breaker_state::closed);
  EXPECT_EQ(state_at(apns_sandbox, breaker_kind::configuration), breaker_state::open);
  door.probe_now(std::nullopt);
  run();
  pass(5s, 20ms);
  expect_all_delivered();
}

// A few targets that are always refused, among others that are accepted: also when nothing but
// their retries is left.
TEST_F(outage, targets_that_are_refused_for_themselves_stop_nobody) {
  add_topic("news", 900);
  start_lane();
  script = [](const fake_transport::request& asked) {
    return asked.to().id % 100 == 7 ? std::optional{status_answer(403, "InvalidProviderToken")}
                                    : std::nullopt;
  };
  submit(topic_job(1, "news", clock.now()));
  for (int i = 0; i < 1'200; ++i) {
    pass(100ms, 20ms);
    EXPECT_EQ(state_at(apns_production, breaker_kind::configuration), breaker_state::closed);
    EXPECT_EQ(state_at(apns_sandbox, breaker_kind::configuration), breaker_state::closed);
  }
  const auto counts = store.ledger.account_of(job_number(1)).counts;
  EXPECT_EQ(counts.accepted, 891);
  EXPECT_EQ(counts.rejected, 9);
  EXPECT_EQ(store.ledger.dead_letters().size(), 9u);
  EXPECT_TRUE(is_finished(job_number(1)));
}

TEST_F(outage, the_only_device_comes_to_rest_when_its_credentials_are_refused) {
  start_lane();
  script = [](const auto&) { return std::optional{status_answer(403, "InvalidProviderToken")}; };
  submit(token_job(1, 1, clock.now()));
  finish(job_number(1));
  serve();
  EXPECT_EQ(store.ledger.account_of(job_number(1)).counts.rejected, 1);
  EXPECT_EQ(store.ledger.dead_letters().size(), 1u);
  EXPECT_TRUE(breakers.list().empty());
}

TEST_F(outage, two_devices_wait_until_their_credentials_are_good_again) {
  start_lane();
  script = [](const auto&) { return std::optional{status_answer(403, "InvalidProviderToken")}; };
  submit(token_job(1, 2, clock.now()));
  pass(3h, 1s);
  EXPECT_NE(state_at(apns_production, breaker_kind::configuration), breaker_state::closed);
  EXPECT_TRUE(store.ledger.dead_letters().empty());
  EXPECT_LE(requests[apns_production], 3u * 60) << "it does not spin";
  script = {};
  pass(5min);
  expect_all_delivered();
}

// Targets that are refused for themselves hold the probes of an open breaker for a while, and not
// for good.
TEST_F(outage, a_breaker_that_two_targets_opened_for_themselves_closes_with_others_traffic) {
  start_lane();
  script = [](const fake_transport::request& asked) {
    return asked.of->key.job == job_number(1)
             ? std::optional{status_answer(403, "InvalidProviderToken")}
             : std::nullopt;
  };
  submit(token_job(1, 2, clock.now()));
  pass(1h, 1s);
  ASSERT_NE(state_at(apns_production, breaker_kind::configuration), breaker_state::closed);
  submit(token_job(2, 50, clock.now()));
  pass(20min, 1s);
  EXPECT_EQ(state_at(apns_production, breaker_kind::configuration), breaker_state::closed);
  EXPECT_EQ(store.ledger.account_of(job_number(2)).counts.accepted, 50);
}

// Whatever a provider answered for minutes, in whatever mix: once it is well, everything closes by
// itself.
class random_faults : public outage, public ::testing::WithParamInterface<unsigned> {};

TEST_P(random_faults, leave_nothing_open_once_they_are_over) {
  std::mt19937 random{GetParam()};
  const auto pick = [&](int count) {
    return std::uniform_int_distribution<int>{0, count - 1}(random);
  };
  const std::vector<signalbox::answer> faults{status_answer(503, "ServiceUnavailable"),
                                              status_answer(500, "InternalServerError"),
                                              status_answer(429, "TooManyRequests"),
                                              status_answer(429, "TooManyProviderTokenUpdates"),
                                              status_answer(403, "InvalidProviderToken"),
                                              status_answer(403, "MissingProviderToken"),
                                              status_answer(403, "ExpiredProviderToken"),
                                              status_answer(403, "MadeUpReason"),
                                              status_answer(400, "TopicDisallowed"),
                                              status_answer(400, "BadTopic"),
                                              status_answer(400, "BadDeviceToken"),
                                              status_answer(410, "Unregistered"),
                                              unknown_answer(),
                                              unsent_answer(),
                                              no_connection_answer(),
                                              [] {
                                                auto made = unsent_answer();
                                                made.reason = "no_credentials";
                                                return made;
                                              }()};
  add_topic("news", 60);
  start_lane([](lane_options& lane) { lane.providers[0].classify = judge_apns; });
  std::uint64_t n = 0;
  for (int phase = 0; phase < 12; ++phase) {
    std::vector<signalbox::answer> mix;
    for (auto kinds = 1 + pick(4); kinds > 0; --kinds)
      mix.push_back(faults[static_cast<std::size_t>(pick(static_cast<int>(faults.size())))]);
    const auto good = pick(4) * 33; // of a hundred
    script = [&, mix, good](const auto&) -> std::optional<signalbox::answer> {
      if (pick(100) < good)
        return std::nullopt;
      return mix[static_cast<std::size_t>(pick(static_cast<int>(mix.size())))];
    };
    submit(topic_job(++n, "news", clock.now()));
    submit(token_job(++n, static_cast<std::size_t>(1 + pick(3)), clock.now()));
    pass(std::chrono::seconds{5 + pick(60)}, 100ms);
  }
  script = {};
  pass(300s, 100ms);
  std::size_t open = 0;
  for (const auto& job : jobs)
    open += !is_finished(job);
  EXPECT_EQ(open, 0u) << "jobs" << breaker_states();
  pass(2min);
  EXPECT_TRUE(breakers.list().empty()) << breaker_states();
}

INSTANTIATE_TEST_SUITE_P(seeds, random_faults, ::testing::Range(1u, 13u));

TEST_F(outage, a_token_storm_is_on_the_board_and_can_be_reset) {
  add_topic("news", 600);
  start_lane();
  submit(token_job(2, 1, clock.now(), apns_production));
  submit(token_job(3, 1, clock.now(), apns_sandbox));
  pass(1s, 20ms);
  script = [](const auto&) { return std::optional{status_answer(400, "BadDeviceToken")}; };
  submit(topic_job(1, "news", clock.now()));
  pass(10s, 20ms);
  EXPECT_EQ(state_at(apns_production, breaker_kind::token_storm), breaker_state::open);
  EXPECT_EQ(store.ledger.invalidated().size(), 200u) << "100 of each destination";
  door.reset_breakers("push", std::nullopt, breaker_kind::token_storm);
  run();
  EXPECT_TRUE(breakers.list().empty());
}

TEST_F(outage, a_credit_actor_that_dies_forgets_no_breaker) {
  add_topic("news", 60);
  start_lane();
  script = [](const auto&) { return std::optional{status_answer(403, "TopicDisallowed")}; };
  submit(topic_job(1, "news", clock.now()));
  pass(1s);
  requests.clear();
  crash(door.peers("push")->room);
  pass(20s);
  EXPECT_TRUE(requests.empty());
  script = {};
  door.reset_breakers("push", std::nullopt, std::nullopt);
  expect_all_delivered();
}

TEST_F(outage, a_pause_stops_within_a_second_and_a_resume_finishes) {
  add_topic("news", 3'000);
  start_lane();
  submit(topic_job(1, "news", clock.now()));
  pass(300ms, 20ms);
  const auto sent_before = accepts.size();
  ASSERT_GT(sent_before, 0u);
  ASSERT_LT(sent_before, 3'000u);
  store.ledger.pause(job_number(1));
  pass(1s, 20ms);
  const auto stopped_at = accepts.size();
  const auto claims = store.claims.size();
  pass(10s, 20ms);
  EXPECT_EQ(accepts.size(), stopped_at) << "nothing is sent while it is paused";
  EXPECT_EQ(store.ledger.leased(), 0u) << "and nothing is held";
  EXPECT_LT(store.claims.size() - claims, 60u);
  store.ledger.pause(job_number(1), false);
  expect_all_delivered();
  EXPECT_EQ(duplicates(), 0u);
}

TEST_F(outage, a_cancel_during_the_fan_out_closes_the_account) {
  add_topic("news", 3'000);
  start_lane();
  submit(topic_job(1, "news", clock.now()));
  pass(300ms, 20ms);
  store.ledger.cancel(job_number(1));
  door.stop_job(job_number(1), "cancelled");
  run();
  const auto sent = accepts.size();
  pass(20s, 20ms);
  const auto account = store.ledger.account_of(job_number(1));
  EXPECT_TRUE(account.closed());
  EXPECT_LE(accepts.size(), sent + 80) << "only what was in flight";
  EXPECT_EQ(account.counts.accepted, static_cast<std::int64_t>(accepts.size()));
  EXPECT_EQ(account.counts.skipped, account.planned - account.counts.accepted);
}

TEST_F(outage, a_cancel_while_a_breaker_is_open_closes_the_account_too) {
  add_topic("news", 300);
  start_lane();
  script = dead();
  submit(topic_job(1, "news", clock.now()));
  pass(1min);
  store.ledger.cancel(job_number(1));
  door.stop_job(job_number(1), "cancelled");
  pass(1min);
  EXPECT_TRUE(store.ledger.account_of(job_number(1)).closed());
}

TEST_F(outage, half_a_minute_without_a_store_loses_nothing_and_holds_little) {
  add_topic("news", 3'000);
  start_lane([](lane_options& lane) {
    lane.ingest_mailbox = 50;
    lane.commit_credit = 20;
  });
  submit(topic_job(1, "news", clock.now()));
  pass(100ms, 20ms);
  store.hold(); // it does not answer, as when its disk hangs
  const auto sent_before = accepts.size();
  ASSERT_LT(sent_before, 2'000u);
  std::uint64_t n = 1;
  std::int64_t most_held = 0;
  for (auto passed = 0ms; passed < 30s; passed += 100ms) {
    for (int i = 0; i < 5; ++i)
      submit(token_job(++n, 1, clock.now()));
    serve();
    advance(100ms);
    std::int64_t held = static_cast<std::int64_t>(store.waiting());
    for (const auto& each : directory.list())
      held += each.mailbox->depth;
    most_held = std::max(most_held, held);
  }
  EXPECT_LE(most_held, 50 + 20 + 30) << "messages held: the door, and a few calls of the store";
  const auto refused = std::count_if(jobs.begin(), jobs.end(), [&](const job_id& job) {
    return replies->refusal(job) == errc::unavailable;
  });
  EXPECT_GT(refused, 1'000) << "the door refuses what it has no room for";
  EXPECT_LE(accepts.size() - sent_before, 80u) << "no more than the windows";
  store.let_go();
  pass(5s, 20ms);
  std::erase_if(jobs, [&](const job_id& job) { return !replies->was_accepted(job); });
  EXPECT_GT(jobs.size(), 1u);
  expect_all_delivered();
}

TEST_F(outage, a_store_that_fails_for_half_a_minute_loses_nothing) {
  add_topic("news", 300);
  start_lane();
  submit(topic_job(1, "news", clock.now()));
  pass(100ms, 20ms);
  store.fail_all();
  for (std::uint64_t n = 2; n < 50; ++n) {
    submit(token_job(n, 1, clock.now()));
    pass(600ms, 100ms);
  }
  store.heal();
  std::erase_if(jobs, [&](const job_id& job) { return !replies->was_accepted(job); });
  EXPECT_EQ(jobs.size(), 1u);
  expect_all_delivered();
}

TEST_F(outage, unknown_is_given_up_and_nothing_else_is) {
  add_topic("news", 300);
  start_lane();
  auto job = topic_job(1, "news", clock.now());
  job.options.on_unknown = unknown_policy::give_up;
  script = [](const fake_transport::request& asked) -> std::optional<signalbox::answer> {
    return asked.to().id % 50 == 0   ? std::optional{unknown_answer()}
           : asked.to().id % 50 == 1 ? std::optional{unsent_answer()}
                                     : std::nullopt;
  };
  submit(std::move(job));
  pass(2s, 20ms);
  script = [](const fake_transport::request& asked) -> std::optional<signalbox::answer> {
    return asked.to().id % 50 == 0 ? std::optional{unknown_answer()} : std::nullopt;
  };
  finish(job_number(1));
  const auto counts = store.ledger.account_of(job_number(1)).counts;
  EXPECT_EQ(counts.unknown, 6);
  EXPECT_EQ(counts.accepted, 294);
  EXPECT_EQ(duplicates(), 0u);
}

// What may have left before a crash ends unknown; what the breaker, a pause or a failing store kept
// from leaving is sent after all.
TEST_F(outage, giving_up_survives_a_breaker_a_pause_and_a_crash) {
  add_topic("news", 6'000);
  start_lane();
  auto job = topic_job(1, "news", clock.now());
  job.options.on_unknown = unknown_policy::give_up;
  submit(std::move(job));
  pass(100ms, 20ms);
  store.hold(store_call::mark);
  pass(100ms, 20ms);
  script = [](const auto&) { return std::optional{status_answer(503)}; };
  pass(200ms, 20ms);
  store.let_go();
  pass(1min);
  EXPECT_NE(state_at(apns_production), breaker_state::closed);
  store.ledger.pause(job_number(1));
  pass(1min);
  script = {};
  store.ledger.pause(job_number(1), false);
  store.fail(store_call::mark);
  pass(1min);
  store.heal();
  std::size_t in_flight = 0;
  std::size_t victim = 0;
  for (int i = 0; i < 200 && in_flight == 0; ++i) {
    advance(20ms);
    for (victim = 0; victim < transports.size(); ++victim)
      if (!transports[victim]->stopped && (in_flight = transports[victim]->open.size()) > 0)
        break;
  }
  ASSERT_GT(in_flight, 0u);
  ASSERT_FALSE(is_finished(job_number(1)));
  crash(door.peers("push")->senders.at(victim));
  finish(job_number(1));
  const auto counts = store.ledger.account_of(job_number(1)).counts;
  EXPECT_LE(counts.unknown, static_cast<std::int64_t>(in_flight));
  EXPECT_EQ(counts.accepted + counts.unknown, 6'000);
  EXPECT_EQ(duplicates(), 0u) << "what may have left is not sent again";
}

} // namespace
} // namespace signalbox
