#include "adapters/http2/work_queue.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

using clock_type = work_queue::clock;

work_ptr work_of(std::uint32_t count) {
  auto made = std::make_shared<work>();
  made->targets.resize(count);
  return made;
}

clock_type::time_point at(std::chrono::seconds since) {
  return clock_type::time_point{since};
}

TEST(work_queue, targets_come_in_order_and_are_counted) {
  work_queue queue;
  const auto of = work_of(10);
  queue.push(of, 2, 3, at(0s));
  EXPECT_EQ(queue.waiting(), 3u);
  for (const std::uint32_t position : {2, 3, 4}) {
    const auto pick = queue.next();
    EXPECT_EQ(pick.from->of(), of);
    EXPECT_EQ(pick.position, position);
    EXPECT_EQ(pick.tries, 0);
  }
  EXPECT_EQ(queue.waiting(), 0u);
  EXPECT_EQ(queue.under_way(), 3u);
}

TEST(work_queue, works_take_turns_in_slices) {
  work_queue queue{2};
  const auto big = work_of(100);
  const auto small = work_of(1);
  queue.push(big, 0, 100, at(0s));
  queue.push(small, 0, 1, at(0s));
  std::string order;
  for (int i = 0; i < 6; ++i)
    order += queue.next().from->of() == big ? 'b' : 's';
  EXPECT_EQ(order, "bbsbbb");
}

TEST(work_queue, answers_are_batched_by_work) {
  work_queue queue;
  const auto a = work_of(3);
  const auto b = work_of(1);
  queue.push(a, 0, 3, at(0s));
  queue.push(b, 0, 1, at(0s));
  std::vector<work_queue::pick> picks;
  while (queue.waiting() > 0)
    picks.push_back(queue.next());
  queue.accept(*picks[0].from, picks[0].position);
  queue.accept(*picks[3].from, picks[3].position);
  answer other;
  other.position = 1;
  other.status = 400;
  queue.refuse(*picks[1].from, other);
  EXPECT_TRUE(queue.has_answers());
  std::vector<answer_batch> batches;
  queue.take_answers(batches);
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].of, a);
  EXPECT_EQ(batches[0].accepted, std::vector<std::uint32_t>{0});
  ASSERT_EQ(batches[0].others.size(), 1u);
  EXPECT_EQ(batches[0].others[0].position, 1u);
  EXPECT_EQ(batches[1].of, b);
  EXPECT_FALSE(queue.has_answers());
  EXPECT_EQ(queue.under_way(), 1u);
}

TEST(work_queue, what_was_not_sent_comes_next_with_its_tries) {
  work_queue queue;
  const auto of = work_of(5);
  queue.push(of, 0, 5, at(0s));
  auto pick = queue.next();
  queue.next();
  pick.tries = 3;
  queue.resend(pick, at(1s));
  EXPECT_EQ(queue.waiting(), 4u);
  const auto again = queue.next();
  EXPECT_EQ(again.position, 0u);
  EXPECT_EQ(again.tries, 3);
  EXPECT_EQ(queue.next().position, 2u);
}

TEST(work_queue, what_waits_too_long_is_answered_unsent) {
  work_queue queue;
  const auto of = work_of(10);
  queue.push(of, 0, 4, at(0s));
  queue.push(of, 4, 4, at(10s));
  queue.give_up(at(5s), "no connection");
  EXPECT_EQ(queue.waiting(), 4u);
  std::vector<answer_batch> batches;
  queue.take_answers(batches);
  ASSERT_EQ(batches.size(), 1u);
  ASSERT_EQ(batches[0].others.size(), 4u);
  for (const auto& unsent : batches[0].others) {
    EXPECT_LT(unsent.position, 4u);
    EXPECT_EQ(unsent.kind, answer_kind::unsent);
    EXPECT_EQ(unsent.reason, "no connection");
  }
  EXPECT_EQ(queue.next().position, 4u);
}

TEST(work_queue, a_work_is_let_go_after_its_last_answer) {
  work_queue queue;
  const auto of = work_of(1);
  queue.push(of, 0, 1, at(0s));
  const auto pick = queue.next();
  queue.accept(*pick.from, 0);
  std::vector<answer_batch> batches;
  queue.take_answers(batches);
  batches.clear();
  EXPECT_EQ(of.use_count(), 1);
}

TEST(work_queue, a_withdrawn_work_answers_what_waits_and_leaves_others_their_turn) {
  work_queue queue{2};
  const auto first = work_of(5);
  const auto second = work_of(3);
  queue.push(first, 0, 5, at(0s));
  queue.push(second, 0, 3, at(0s));
  const auto sent = queue.next();
  EXPECT_EQ(sent.from->of(), first);
  queue.withdraw(*first, "withdrawn");
  EXPECT_EQ(queue.waiting(), 3u);
  EXPECT_EQ(queue.under_way(), 1u);
  std::vector<answer_batch> answers;
  queue.take_answers(answers);
  ASSERT_EQ(answers.size(), 1u);
  ASSERT_EQ(answers[0].others.size(), 4u);
  for (const auto& each : answers[0].others) {
    EXPECT_EQ(each.kind, answer_kind::unsent);
    EXPECT_EQ(each.reason, "withdrawn");
  }
  EXPECT_EQ(queue.next().from->of(), second);
  queue.withdraw(*first, "withdrawn");
  EXPECT_EQ(queue.under_way(), 2u) << "nothing of it waits any more";
}

RC_GTEST_PROP(work_queue, every_target_is_answered_exactly_once, ()) {
  work_queue queue{*rc::gen::inRange<std::size_t>(1, 10)};
  std::map<std::pair<work_ptr, std::uint32_t>, int> answered;
  std::vector<work_queue::pick> out;
  std::vector<work_ptr> works;
  std::size_t pushed = 0;
  std::vector<answer_batch> batches;
  const auto now = at(0s);
  const auto collect = [&] {
    batches.clear();
    queue.take_answers(batches);
    for (const auto& batch : batches) {
      for (const auto position : batch.accepted)
        ++answered[{batch.of, position}];
      for (const auto& other : batch.others)
        ++answered[{batch.of, other.position}];
    }
  };
  const auto finish = [&](const work_queue::pick& pick, int how) {
    answer other;
    other.position = pick.position;
    if (how == 0)
      queue.resend(pick, now);
    else if (how == 1)
      queue.refuse(*pick.from, other);
    else
      queue.accept(*pick.from, pick.position);
  };
  const auto steps = *rc::gen::container<std::vector<int>>(200, rc::gen::inRange(0, 100));
  for (const auto step : steps) {
    if (step < 10) {
      const auto count = static_cast<std::uint32_t>(1 + step);
      works.push_back(work_of(count));
      queue.push(works.back(), 0, count, now);
      pushed += count;
    } else if (step < 60 && queue.waiting() > 0) {
      out.push_back(queue.next());
    } else if (step < 90 && !out.empty()) {
      const auto chosen = static_cast<std::size_t>(step) % out.size();
      const auto pick = out[chosen];
      out.erase(out.begin() + static_cast<std::ptrdiff_t>(chosen));
      finish(pick, step % 4);
    } else if (step < 91) {
      queue.give_up(now, "late");
    } else if (step < 93 && !works.empty()) {
      queue.withdraw(*works[works.size() / 2], "withdrawn");
    } else {
      collect();
    }
  }
  for (const auto& pick : out)
    finish(pick, 2);
  queue.give_up(now, "end");
  collect();
  RC_ASSERT(queue.waiting() == 0u);
  RC_ASSERT(queue.under_way() == 0u);
  RC_ASSERT(answered.size() == pushed);
  for (const auto& [target, times] : answered)
    RC_ASSERT(times == 1);
}

} // namespace
