#include "actors/node_supervisor.hpp"
#include "tests/support/lane_world.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class node : public lane_world {
protected:
  node_options small_node() {
    node_options options;
    options.restarts = {100ms, 1s, 1'000, 60s};
    options.lanes.push_back(small_lane("push"));
    options.lanes.push_back(small_lane("bulk"));
    options.on_failure = [this](const std::string& what) { failures.push_back(what); };
    return options;
  }

  void start_node(node_options options) {
    under_test = start<node_supervisor_actor>(ports(), std::move(options));
    run();
  }

  void submit(new_job job) {
    door.submit(accepted_job(std::move(job), replies));
    door.pass_on();
  }

  // Until every job that the ledger knows is finished.
  void finish_all(std::uint64_t jobs) {
    for (std::uint64_t n = 1; n <= jobs; ++n)
      if (store.ledger.knows(job_number(n)))
        finish(job_number(n));
  }

  node_supervisor under_test;
  std::shared_ptr<reply_log> replies = std::make_shared<reply_log>();
  std::vector<std::string> failures;
};

TEST_F(node, takes_a_job_to_its_end) {
  add_topic("news", 100);
  start_node(small_node());
  EXPECT_EQ(door.lanes(), (std::vector<std::string>{"bulk", "push"}));
  submit(topic_job(1, "news", clock.now(), "push"));
  submit(token_job(2, 1, clock.now(), apns_sandbox, "bulk"));
  run();
  EXPECT_TRUE(replies->was_accepted(job_number(1)));
  EXPECT_TRUE(replies->was_accepted(job_number(2)));
  finish_all(2);
  EXPECT_EQ(accepts.size(), 101u);
}

TEST_F(node, a_job_of_one_is_sent_with_its_commit) {
  start_node(small_node());
  advance(600ms); // the first looks around are over
  const auto claims = store.claims.size();
  submit(token_job(1, 1, clock.now()));
  run();
  EXPECT_EQ(store.claims.size(), claims);
  answer_all();
  advance(20ms);
  EXPECT_TRUE(is_finished(job_number(1)));
}

TEST_F(node, a_committer_that_died_is_replaced_and_its_jobs_are_answered) {
  start_node(small_node());
  store.throw_next(store_call::commit);
  submit(token_job(1, 1, clock.now()));
  run();
  EXPECT_EQ(replies->refusal(job_number(1)), errc::unavailable);
  advance(100ms);
  submit(token_job(2, 1, clock.now()));
  run();
  EXPECT_TRUE(replies->was_accepted(job_number(2)));
  finish_all(2);
}

TEST_F(node, a_lane_that_gave_up_is_started_anew_and_the_other_never_notices) {
  add_topic("news", 200);
  auto options = small_node();
  options.lanes[0].restarts.max_restarts = 0;
  start_node(std::move(options));
  submit(topic_job(1, "news", clock.now(), "push"));
  submit(topic_job(2, "news", clock.now(), "bulk"));
  run();
  const auto before = door.peers("push");
  const auto other = door.peers("bulk");
  crash(before->room);
  run();
  EXPECT_FALSE(is_alive(before->door));
  submit(topic_job(3, "news", clock.now(), "push"));
  run();
  EXPECT_EQ(replies->refusal(job_number(3)), errc::unavailable);
  advance(100ms);
  EXPECT_NE(door.peers("push")->door, before->door);
  EXPECT_EQ(door.peers("bulk"), other);
  submit(topic_job(4, "news", clock.now(), "push"));
  run();
  EXPECT_TRUE(replies->was_accepted(job_number(4)));
  finish_all(4);
  EXPECT_TRUE(failures.empty());
}

TEST_F(node, says_so_when_a_lane_keeps_giving_up) {
  auto options = small_node();
  options.lanes[0].restarts.max_restarts = 0;
  options.restarts.max_restarts = 1;
  start_node(std::move(options));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(failures.empty());
    crash(door.peers("push")->room);
    run();
    advance(1s);
  }
  EXPECT_EQ(failures, (std::vector<std::string>{"lane push"}));
}

// A lane whose provider stalls, or whose mailbox is full, is nothing to the other one.
TEST_F(node, a_stalled_lane_does_not_hold_up_another) {
  add_topic("news", 1'000);
  auto options = small_node();
  options.lanes[1].ingest_mailbox = 4;
  options.lanes[1].commit_credit = 1;
  start_node(std::move(options));
  const auto of_bulk = transports.size() / 2; // push's senders were started first
  for (std::uint64_t n = 100; n < 150; ++n)
    submit(topic_job(n, "news", clock.now(), "bulk"));
  submit(token_job(1, 1, clock.now()));
  run();
  EXPECT_TRUE(replies->was_accepted(job_number(1)));
  for (std::size_t i = 0; i < of_bulk; ++i)
    transports[i]->answer_all(counting()); // bulk's never answer
  run();
  advance(20ms);
  EXPECT_TRUE(is_finished(job_number(1)));
}

TEST_F(node, stops_in_order_and_the_next_start_goes_on) {
  add_topic("news", 500);
  start_node(small_node());
  submit(topic_job(1, "news", clock.now()));
  run();
  for (int i = 0; i < 5; ++i) {
    answer_all();
    advance(20ms);
  }
  submit(topic_job(2, "news", clock.now()));
  const auto done = ask_drain(under_test);
  submit(topic_job(3, "news", clock.now()));
  run();
  EXPECT_FALSE(*done);
  EXPECT_TRUE(replies->was_accepted(job_number(2))) << "what was taken in is committed";
  EXPECT_EQ(replies->refusal(job_number(3)), errc::unavailable);
  for (int i = 0; i < 10 && !*done; ++i) {
    answer_all();
    advance(20ms);
  }
  EXPECT_TRUE(*done);
  EXPECT_EQ(dead_transports(), transports.size());
  const auto first = store.ledger.account_of(job_number(1));
  const auto second = store.ledger.account_of(job_number(2));
  EXPECT_EQ(first.counts.finished() + second.counts.finished(),
            static_cast<std::int64_t>(accepts.size()));
  EXPECT_GT(first.pending(), 0);
  crash(under_test);
  run();
  door.clear();

  store.ledger.void_leases(); // as a store does at its start
  start_node(small_node());
  finish_all(2);
  EXPECT_EQ(accepts.size(), 1'000u);
  EXPECT_EQ(duplicates(), 0u) << "an orderly stop sends nothing twice";
}

TEST_F(node, a_committer_that_dies_during_the_stop_is_replaced_for_what_was_taken_in) {
  auto options = small_node();
  options.lanes[0].commit_credit = 1;
  start_node(std::move(options));
  store.hold(store_call::commit);
  for (std::uint64_t n = 1; n <= 3; ++n)
    submit(token_job(n, 1, clock.now()));
  run();
  const auto done = ask_drain(under_test);
  crash(door.peers("push")->group);
  run();
  store.let_go();
  run();
  for (int i = 0; i < 20 && !*done; ++i) {
    advance(50ms);
    answer_all();
  }
  EXPECT_TRUE(*done);
  for (const auto n : {1, 2})
    EXPECT_EQ(replies->refusal(job_number(n)), errc::unavailable) << "it went with the committer";
  EXPECT_TRUE(replies->was_accepted(job_number(3)));
}

// Everything that can go wrong inside a node, at random. A seed repeats the decisions of a run; the
// order in which a map of pointers is walked is left to chance.
class faults : public node, public ::testing::WithParamInterface<unsigned> {
protected:
  bool chance(double probability) { return std::bernoulli_distribution{probability}(random); }
  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>{0, end - 1}(random);
  }

  void seed_with(unsigned seed) {
    std::cout << "seed " << seed << " (SIGNALBOX_SEED repeats it)" << std::endl;
    random.seed(seed);
    script = [this](const fake_transport::request& asked) -> std::optional<answer> {
      if (calm)
        return std::nullopt;
      if (provider_back_at && asked.of->dest == apns_production)
        return refusing        ? status_answer(403, "InvalidProviderToken")
               : below(2) == 0 ? unknown_answer()
               : below(2) == 0 ? no_connection_answer()
                               : status_answer(503, "ServiceUnavailable");
      switch (below(20)) {
      case 0:
        return status_answer(503, "ServiceUnavailable");
      case 1: {
        auto made = status_answer(429, "TooManyRequests");
        made.retry_after_s = 1;
        return made;
      }
      case 2:
        return status_answer(410, "Unregistered");
      case 3:
        return status_answer(400, "BadDeviceToken");
      case 4:
        return unknown_answer();
      case 5:
        return unsent_answer();
      default:
        return std::nullopt;
      }
    };
  }

  node_options any_node() {
    auto options = small_node();
    for (auto& lane : options.lanes) {
      lane.masters = 1 + below(3);
      lane.senders = 1 + below(3);
      lane.window = 1 + below(40);
      lane.chunk_size = 1 + below(20);
      lane.flush_interval = std::chrono::milliseconds{below(3) * 10};
      lane.commit_credit = 1 + below(8);
      if (chance(0.5))
        lane.mailbox = lane.ingest_mailbox = 1;
      if (chance(0.3))
        lane.restarts.max_restarts = 3; // so that lanes give up, too
      most_window = std::max(most_window, lane.window);
      most_chunk = std::max(most_chunk, lane.chunk_size);
    }
    if (chance(0.5))
      options.committer_mailbox = 1;
    options.commits.direct_works = below(10);
    return options;
  }

  void crash_something() {
    switch (below(9)) {
    case 0:
      return store.throw_next(store_call::plan);
    case 1:
      return store.throw_next(store_call::claim);
    case 2:
      return store.throw_next(store_call::flush);
    case 3:
      return store.throw_next(store_call::sweep);
    case 4:
      return store.throw_next(store_call::commit);
    case 5:
      throw_in_classify = true;
      return;
    case 6:
      return transports[below(transports.size())]->throw_next_submit();
    default:
      break;
    }
    const auto peers = door.peers(chance(0.5) ? "push" : "bulk");
    const auto kill = [this](const auto& victim) {
      if (victim)
        crash(victim);
    };
    switch (below(6)) {
    case 0:
      return kill(peers->door);
    case 1:
      return kill(peers->plan);
    case 2:
      return kill(peers->room);
    case 3:
      return kill(peers->outcomes);
    case 4:
      return kill(peers->masters[below(peers->masters.size())]);
    default:
      return kill(peers->senders[below(peers->senders.size())]);
    }
  }

  void break_store() {
    if (chance(0.5))
      store.fail_all(chance(0.5) ? errc::disk_full : errc::unavailable);
    else
      store.fail(static_cast<store_call>(below(12)));
    heals_at = clock.now() + std::chrono::milliseconds{below(5'000)};
  }

  // One destination's provider is down, or refuses the credentials until somebody resets it.
  void break_provider() {
    refusing = chance(0.2);
    provider_back_at = clock.now() + std::chrono::milliseconds{below(8'000)};
  }

  void pause_something() {
    const auto job = job_number(1 + below(submitted + 1));
    if (store.ledger.knows(job))
      store.ledger.pause(job, chance(0.5));
  }

  void submit_something() {
    const auto n = ++submitted;
    const auto on_unknown = chance(0.3) ? unknown_policy::give_up : unknown_policy::resend;
    const auto submit = [&](new_job job) {
      job.options.on_unknown = on_unknown;
      if (on_unknown == unknown_policy::give_up)
        giving_up.insert(job.id);
      node::submit(std::move(job));
    };
    const std::string lane = chance(0.5) ? "push" : "bulk";
    if (chance(0.7))
      submit(token_job(n, 1 + below(3), clock.now(), chance(0.5) ? apns_production : apns_sandbox,
                       lane));
    else
      submit(topic_job(n, "topic-" + std::to_string(below(4)), clock.now(), lane));
    if (chance(0.05) && n > 3 && store.ledger.knows(job_number(n - 3)) &&
        !is_finished(job_number(n - 3))) {
      store.ledger.cancel(job_number(n - 3));
      door.stop_job(job_number(n - 3), "cancelled");
    }
  }

  // A little of everything that goes on at the same time.
  void step() {
    for (auto events = below(40); events > 0 && scheduler_.try_run_once(); --events) {
    }
    for (auto calls = below(6); calls > 0; --calls)
      store.step();
    if (chance(0.7)) {
      const auto& transport = transports[below(transports.size())];
      transport->answer_next(below(30), counting());
    }
    for (const auto& each : transports)
      EXPECT_LE(each->open.size(), 2 * most_window);
    if (heals_at && clock.now() >= *heals_at) {
      store.heal();
      heals_at.reset();
    }
    if (provider_back_at && clock.now() >= *provider_back_at) {
      provider_back_at.reset();
      door.reset_breakers("", std::nullopt, breaker_kind::configuration);
    }
    const auto by = std::chrono::milliseconds{below(20)};
    clock.advance(by);
    scheduler_.advance_time(by);
  }

  void calm_down() {
    calm = true;
    throw_in_classify = false;
    for (const auto& each : transports)
      each->throw_next_submit(false);
    store.heal();
    store.let_go();
    for (std::uint64_t n = 1; n <= submitted; ++n)
      if (store.ledger.knows(job_number(n)))
        store.ledger.pause(job_number(n), false);
    advance(2s); // who is down comes back
    answer_all();
    door.reset_breakers("", std::nullopt, std::nullopt);
    run();
  }

  std::mt19937 random;
  bool calm = false;
  std::uint64_t submitted = 0;
  std::size_t most_window = 0;
  std::size_t most_chunk = 0;
  std::optional<timestamp> heals_at;
  std::optional<timestamp> provider_back_at;
  bool refusing = false;
  std::set<job_id> giving_up;
};

TEST_P(faults, every_job_completes_and_every_account_closes) {
  const auto* chosen = std::getenv("SIGNALBOX_SEED");
  seed_with(chosen ? static_cast<unsigned>(std::stoul(chosen)) : GetParam());
  for (std::size_t i = 0; i < 4; ++i)
    add_topic("topic-" + std::to_string(i), 1 + below(300));
  start_node(any_node());
  store.hold();
  for (int i = 0; i < 3'000; ++i) {
    if (chance(0.02))
      submit_something();
    if (chance(0.004))
      crash_something();
    if (chance(0.002))
      break_store();
    if (chance(0.002))
      break_provider();
    if (chance(0.01))
      pause_something();
    step();
  }
  calm_down();
  std::size_t taken = 0;
  for (std::uint64_t n = 1; n <= submitted; ++n) {
    SCOPED_TRACE("job " + std::to_string(n));
    const auto job = job_number(n);
    EXPECT_EQ(replies->by_job[job].calls, 1) << "each request has one answer";
    if (!store.ledger.knows(job)) {
      EXPECT_FALSE(replies->was_accepted(job)) << "accepted means durable";
      continue;
    }
    ++taken;
    finish(job);
    const auto account = store.ledger.account_of(job);
    EXPECT_EQ(account.counts.finished(), account.planned);
  }
  EXPECT_GT(taken, 0u);
  std::uint64_t restarts = 0;
  for (const auto& each : directory.list())
    restarts += each.restarts;
  std::cout << "jobs " << taken << " of " << submitted << ", targets " << accepts.size()
            << ", restarts " << restarts << ", duplicates " << duplicates() << ", leases lost "
            << store.ledger.expired() << std::endl;
  const auto lost_windows = dead_transports() * 2 * most_window;
  EXPECT_LE(duplicates(), lost_windows + store.ledger.expired() * most_chunk);
  EXPECT_TRUE(failures.empty());
  for (const auto& [target, times] : accepts)
    if (giving_up.contains(target.first)) {
      EXPECT_EQ(times, 1u) << "what may have left is never sent again";
    }

  // No room was lost on the way: what fills every window twice goes through without a hitch.
  for (const auto* lane : {"push", "bulk"}) {
    add_topic("last", 1'000);
    submit(topic_job(++submitted, "last", clock.now(), lane));
    run();
    ASSERT_TRUE(replies->was_accepted(job_number(submitted)));
    finish(job_number(submitted), 30s);
  }
  for (const auto& each : directory.list())
    EXPECT_EQ(each.mailbox->depth, 0) << each.place.lane << " " << each.place.stage;
}

INSTANTIATE_TEST_SUITE_P(node, faults, ::testing::Range(1u, 41u));

} // namespace
} // namespace signalbox
