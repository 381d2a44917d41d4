#include "actors/broadcaster.hpp"
#include "tests/support/builders.hpp"
#include "tests/support/caf_fixture.hpp"
#include "tests/support/fake_feed.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

/// A subscriber, and all that his client has got.
struct client : watch_reply, std::enable_shared_from_this<client> {
  void opened(std::shared_ptr<subscription> its) override { events = std::move(its); }
  void nothing_more() override { had_all = true; }
  void refused(errc code, const std::string&) override { refusal = code; }

  /// What has come since the last look.
  std::string take() {
    std::string out;
    if (events && !ended)
      ended = !events->take(1'000'000, out);
    return out;
  }

  std::shared_ptr<subscription> events;
  bool had_all = false;
  bool ended = false;
  std::optional<errc> refusal;
};

job_view job(std::uint64_t n, std::int64_t accepted, std::int64_t total = 10) {
  job_view view;
  view.id = job_number(n);
  view.total = total;
  view.counts.accepted = accepted;
  view.status = job_status::in_progress;
  if (accepted == total) {
    view.status = job_status::completed;
    view.completed_at = timestamp{};
  }
  return view;
}

activity_view activity(std::string id, std::int64_t seq,
                       activity_status status = activity_status::active) {
  activity_view view;
  view.id = std::move(id);
  view.seq = seq;
  view.status = status;
  return view;
}

class broadcaster_test : public caf_fixture {
protected:
  broadcaster_options options() {
    broadcaster_options of;
    of.run = "run";
    of.texts = {
      [](const job_view& view) {
        return "job " + std::to_string(view.id.bytes.back()) + ":" +
               std::to_string(view.counts.accepted) + "\n";
      },
      [](const activity_view& view) { return view.id + ":" + std::to_string(view.seq) + "\n"; },
      [](const lane_report& report) {
        return report.lane + ":" +
               std::to_string(report.rates[static_cast<std::size_t>(outcome_status::accepted)]) +
               "\n";
      },
      "stop\n", "alive\n"};
    of.counters = counters;
    return of;
  }

  void start_broadcaster(broadcaster_options of) {
    under_test = start<broadcaster_actor>(stages.enter({"", "broadcaster", 0}, 1'000),
                                          broadcaster_ports{feed, clock, stages, lanes, breakers},
                                          std::move(of));
    run();
  }

  void SetUp() override { start_broadcaster(options()); }

  std::shared_ptr<client> watch(watch_request request) {
    auto who = std::make_shared<client>();
    request.reply = who;
    caf::anon_send(under_test, std::move(request));
    run();
    return who;
  }
  std::shared_ptr<client> watch_node(std::string last = {}) {
    return watch({.scope = watch_scope::node, .last_event = std::move(last)});
  }
  std::shared_ptr<client> watch_job(std::uint64_t n, std::string last = {}) {
    return watch({.scope = watch_scope::job, .job = job_number(n), .last_event = std::move(last)});
  }

  void change(job_view view) { feed.changed.jobs.push_back(std::move(view)); }
  void hint() {
    caf::anon_send(under_test, work_hint{});
    run();
  }

  fake_feed feed;
  stage_directory stages;
  lane_board lanes;
  breaker_board breakers;
  std::shared_ptr<subscription_counters> counters = std::make_shared<subscription_counters>();
  broadcaster under_test;
};

TEST_F(broadcaster_test, tells_first_what_there_is_then_what_changes) {
  feed.recent.jobs = {job(2, 10), job(1, 3)};
  const auto who = watch_node();
  EXPECT_EQ(who->take(), "id: run-0\njob 1:3\nid: run-0\njob 2:10\n");
  change(job(1, 5));
  advance(500ms);
  EXPECT_EQ(who->take(), "id: run-1\njob 1:5\n");
}

TEST_F(broadcaster_test, what_ended_recently_is_asked_for) {
  watch_node();
  ASSERT_EQ(feed.lists.size(), 1u);
  EXPECT_EQ(feed.lists.front(), clock.now() - 10min);
}

TEST_F(broadcaster_test, asks_the_store_only_while_somebody_watches) {
  hint();
  advance(10s);
  EXPECT_TRUE(feed.filters.empty());
  EXPECT_TRUE(feed.watched.empty());
  auto who = watch_node();
  EXPECT_EQ(feed.watched, std::vector{true});
  advance(500ms);
  advance(500ms);
  EXPECT_EQ(feed.filters.size(), 2u);
  who->events->close();
  advance(15s);
  EXPECT_EQ(feed.watched, (std::vector{true, false}));
  const auto asked = feed.filters.size();
  advance(10s);
  EXPECT_EQ(feed.filters.size(), asked);
  watch_node();
  EXPECT_EQ(feed.watched, (std::vector{true, false, true}));
}

TEST_F(broadcaster_test, what_goes_on_is_told_with_the_beat_and_what_ended_at_once) {
  const auto who = watch_node();
  change(job(1, 5));
  change(job(2, 10));
  hint();
  EXPECT_EQ(who->take(), "id: run-1\njob 2:10\n");
  change(job(1, 6));
  hint();
  EXPECT_EQ(who->take(), "");
  advance(500ms);
  EXPECT_EQ(who->take(), "id: run-2\njob 1:6\n");
}

TEST_F(broadcaster_test, a_state_that_waited_never_follows_the_end) {
  const auto who = watch_node();
  change(job(1, 5));
  hint();
  change(job(1, 10));
  hint();
  EXPECT_EQ(who->take(), "id: run-1\njob 1:10\n");
  advance(5s);
  EXPECT_EQ(who->take(), "");
}

TEST_F(broadcaster_test, a_hint_while_the_store_is_asked_has_it_asked_again) {
  const auto who = watch_node();
  feed.holding = true;
  hint();
  hint();
  EXPECT_EQ(feed.filters.size(), 1u);
  feed.holding = false;
  feed.answer_held();
  change(job(1, 10));
  run();
  EXPECT_EQ(feed.filters.size(), 2u);
  EXPECT_EQ(who->take(), "id: run-1\njob 1:10\n");
}

TEST_F(broadcaster_test, jobs_of_one_target_are_told_only_to_who_watches_them) {
  feed.jobs[job_number(1)] = job(1, 0, 1);
  const auto all = watch_node();
  const auto one = watch_job(1);
  EXPECT_EQ(one->take(), "id: run-0\njob 1:0\n");
  change(job(1, 1, 1));
  hint();
  EXPECT_EQ(all->take(), "");
  EXPECT_EQ(one->take(), "id: run-1\njob 1:1\n");
  EXPECT_TRUE(one->ended);
}

TEST_F(broadcaster_test, the_filter_names_who_is_watched) {
  feed.jobs[job_number(7)] = job(7, 1);
  watch_job(7);
  advance(500ms);
  ASSERT_FALSE(feed.filters.empty());
  EXPECT_FALSE(feed.filters.back().all);
  EXPECT_TRUE(feed.filters.back().jobs->contains(job_number(7)));
  watch_node();
  advance(500ms);
  EXPECT_TRUE(feed.filters.back().all);
}

TEST_F(broadcaster_test, a_job_s_stream_ends_with_its_job) {
  feed.jobs[job_number(1)] = job(1, 3);
  const auto who = watch_job(1);
  change(job(1, 10));
  hint();
  EXPECT_EQ(who->take(), "id: run-0\njob 1:3\nid: run-1\njob 1:10\n");
  EXPECT_TRUE(who->ended);
  EXPECT_TRUE(watch_job(1, "run-1")->had_all);
}

TEST_F(broadcaster_test, a_job_that_has_ended_is_told_once) {
  feed.jobs[job_number(1)] = job(1, 10);
  for (int i = 0; i < 2; ++i) {
    const auto who = watch_job(1);
    EXPECT_EQ(who->take(), "id: run-1\njob 1:10\n");
    EXPECT_TRUE(who->ended);
  }
  EXPECT_TRUE(watch_job(1, "run-1")->had_all);
}

TEST_F(broadcaster_test, what_is_not_there_is_refused) {
  EXPECT_EQ(watch_job(1)->refusal, errc::not_found);
  EXPECT_EQ(watch({.scope = watch_scope::activity, .activity = "match"})->refusal, errc::not_found);
}

TEST_F(broadcaster_test, a_change_between_the_question_and_its_answer_is_not_missed) {
  feed.jobs[job_number(1)] = job(1, 3);
  feed.holding = true;
  const auto who = watch_job(1);
  change(job(1, 10));
  hint();
  feed.holding = false;
  feed.answer_held();
  run();
  EXPECT_EQ(who->take(), "id: run-0\njob 1:3\nid: run-1\njob 1:10\n");
}

TEST_F(broadcaster_test, an_activity_is_told_with_its_dispatches_until_it_ends) {
  feed.activities["match"] = activity("match", 1);
  const auto who = watch({.scope = watch_scope::activity, .activity = "match"});
  EXPECT_EQ(who->take(), "id: run-0\nmatch:1\n");
  auto dispatch = job(4, 10);
  dispatch.scope = scope_kind::activity;
  dispatch.scope_name = "match";
  change(dispatch);
  change(job(5, 10));
  feed.changed.activities.push_back(activity("match", 2));
  feed.changed.activities.push_back(activity("other", 2));
  advance(500ms);
  EXPECT_EQ(who->take(), "id: run-1\njob 4:10\nid: run-3\nmatch:2\n");
  feed.changed.activities.push_back(activity("match", 3, activity_status::closed));
  advance(500ms);
  EXPECT_EQ(who->take(), "id: run-5\nmatch:3\n");
  EXPECT_TRUE(who->ended);
}

TEST_F(broadcaster_test, who_comes_again_gets_what_he_missed) {
  watch_node();
  change(job(1, 5));
  change(job(2, 5));
  advance(500ms);
  change(job(1, 6));
  advance(500ms);
  feed.recent.jobs = {job(9, 9)};
  EXPECT_EQ(watch_node("run-2")->take(), "id: run-3\njob 1:6\n");
  EXPECT_EQ(watch_node("run-3")->take(), "");
  EXPECT_EQ(watch_node("before-2")->take(), "id: run-3\njob 9:9\n");
}

TEST_F(broadcaster_test, many_who_come_at_once_share_one_list) {
  feed.recent.jobs = {job(1, 3)};
  feed.holding = true;
  std::vector<std::shared_ptr<client>> all;
  for (int i = 0; i < 10; ++i)
    all.push_back(watch_node());
  feed.holding = false;
  feed.answer_held();
  run();
  all.push_back(watch_node());
  for (const auto& each : all)
    EXPECT_EQ(each->take(), "id: run-0\njob 1:3\n");
  EXPECT_EQ(feed.lists.size(), 1u);
}

TEST_F(broadcaster_test, who_came_after_a_change_waits_for_a_list_that_has_it) {
  feed.recent.jobs = {job(1, 3)};
  feed.holding = true;
  const auto first = watch_node();
  feed.holding = false;
  change(job(1, 10));
  hint();
  const auto second = watch_node();
  EXPECT_FALSE(second->events) << "a list is under way";
  feed.answer_held();
  feed.recent.jobs = {job(1, 10)};
  run();
  EXPECT_EQ(first->take(), "id: run-0\njob 1:3\nid: run-1\njob 1:10\n");
  EXPECT_EQ(second->take(), "id: run-1\njob 1:10\n");
  EXPECT_EQ(feed.lists.size(), 2u);
}

TEST_F(broadcaster_test, a_store_that_fails_ends_no_stream) {
  const auto who = watch_node();
  change(job(9, 9));
  advance(500ms);
  who->take();
  feed.failing = true;
  advance(2s);
  EXPECT_EQ(watch_node()->refusal, errc::unavailable);
  feed.failing = false;
  change(job(1, 5));
  advance(500ms);
  EXPECT_EQ(who->take(), "id: run-2\njob 1:5\n");
  EXPECT_FALSE(who->ended);
}

TEST_F(broadcaster_test, all_come_again_when_changes_were_lost) {
  const auto who = watch_node();
  feed.changed.lost = true;
  advance(500ms);
  who->take();
  EXPECT_TRUE(who->ended);
}

TEST_F(broadcaster_test, lanes_are_told_once_a_second_if_something_changed) {
  const auto counted = lanes.counters("push");
  const auto who = watch_node();
  advance(1s);
  EXPECT_EQ(who->take(), "id: run-1\npush:0\n");
  counted->outcomes[static_cast<std::size_t>(outcome_status::accepted)] += 50;
  advance(500ms);
  EXPECT_EQ(who->take(), "");
  advance(500ms);
  EXPECT_EQ(who->take(), "id: run-2\npush:50\n");
  advance(1s);
  EXPECT_EQ(who->take(), "id: run-3\npush:0\n");
  advance(5s);
  EXPECT_EQ(who->take(), "");
}

TEST_F(broadcaster_test, a_silent_stream_is_kept_alive) {
  const auto who = watch_node();
  advance(500ms);
  for (int i = 0; i < 29; ++i)
    advance(500ms);
  EXPECT_EQ(who->take(), "alive\n");
}

TEST_F(broadcaster_test, no_more_may_watch_than_are_allowed) {
  auto few = options();
  few.most_subscribers = 2;
  start_broadcaster(few);
  auto first = watch_node();
  const auto second = watch_node();
  EXPECT_EQ(watch_node()->refusal, errc::busy);
  first->events->close();
  first = nullptr;
  advance(15s);
  EXPECT_TRUE(watch_node()->events);
}

TEST_F(broadcaster_test, a_stopping_node_says_so_and_ends_the_streams) {
  feed.jobs[job_number(1)] = job(1, 3);
  const auto all = watch_node();
  const auto one = watch_job(1);
  one->take();
  feed.holding = true;
  const auto asking = watch_job(1);
  const auto drained = ask_drain(under_test);
  EXPECT_TRUE(*drained);
  for (const auto& each : {all, one}) {
    EXPECT_EQ(each->take(), "stop\n");
    EXPECT_TRUE(each->ended);
  }
  EXPECT_EQ(asking->refusal, errc::stopping);
  EXPECT_EQ(watch_node()->refusal, errc::stopping);
  feed.answer_held();
  run();
}

TEST_F(broadcaster_test, a_crash_ends_the_streams) {
  const auto who = watch_node();
  crash(under_test);
  run();
  who->take();
  EXPECT_TRUE(who->ended);
}

} // namespace
} // namespace signalbox
