#include "actors/batcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

namespace signalbox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using namespace std::chrono_literals;

const boot_clock::time_point start{1h};

class batching : public testing::Test {
protected:
  batcher<int> batch{{.size = 3, .interval = 20ms, .retry_min = 50ms, .retry_max = 150ms}};
};

TEST_F(batching, a_batch_is_due_at_its_size) {
  batch.add(1, start);
  batch.add(2, start);
  EXPECT_THAT(batch.next(start), IsEmpty());
  EXPECT_TRUE(batch.has_room());
  batch.add(3, start);
  EXPECT_FALSE(batch.has_room());
  EXPECT_THAT(batch.next(start), ElementsAre(1, 2, 3));
  EXPECT_TRUE(batch.has_room());
}

TEST_F(batching, weight_counts_and_not_the_number) {
  batch.add(1, start, 3);
  EXPECT_FALSE(batch.has_room());
  EXPECT_THAT(batch.next(start), ElementsAre(1));
}

TEST_F(batching, a_batch_is_due_when_its_first_item_has_waited) {
  batch.add(1, start);
  batch.add(2, start + 15ms);
  EXPECT_EQ(batch.due_at(), start + 20ms);
  EXPECT_THAT(batch.next(start + 19ms), IsEmpty());
  EXPECT_THAT(batch.next(start + 20ms), ElementsAre(1, 2));
}

TEST_F(batching, without_an_interval_nothing_waits) {
  batcher<int> eager{{.size = 3, .interval = 0ms}};
  eager.add(1, start);
  EXPECT_THAT(eager.next(start), ElementsAre(1));
}

TEST_F(batching, pressing_makes_what_waits_due_and_only_that) {
  batch.press();
  batch.add(1, start);
  EXPECT_THAT(batch.next(start), IsEmpty()) << "there was nothing to press";
  batch.press();
  EXPECT_THAT(batch.next(start), ElementsAre(1));
  batch.succeeded();
  batch.add(2, start);
  EXPECT_THAT(batch.next(start), IsEmpty());
}

TEST_F(batching, one_batch_is_under_way_at_a_time) {
  batch.add(1, start, 3);
  EXPECT_THAT(batch.next(start), ElementsAre(1));
  batch.add(2, start, 3);
  EXPECT_EQ(batch.due_at(), std::nullopt);
  EXPECT_THAT(batch.next(start + 1h), IsEmpty());
  batch.succeeded();
  EXPECT_THAT(batch.next(start), ElementsAre(2));
}

TEST_F(batching, what_failed_is_tried_again_alone_and_first) {
  for (const int item : {1, 2, 3})
    batch.add(item, start);
  batch.next(start);
  batch.add(4, start, 3);
  EXPECT_EQ(batch.failed({2, 3}, start), 50ms);
  EXPECT_FALSE(batch.has_room()) << "what waits is a whole batch";
  EXPECT_THAT(batch.next(start + 49ms), IsEmpty());
  EXPECT_THAT(batch.next(start + 50ms), ElementsAre(2, 3));
  EXPECT_EQ(batch.failed({3}, start), 100ms);
  batch.next(start + 100ms);
  EXPECT_EQ(batch.failed({3}, start), 150ms);
  batch.next(start + 150ms);
  batch.succeeded();
  EXPECT_THAT(batch.next(start + 150ms), ElementsAre(4));
  EXPECT_EQ(batch.failed({4}, start), 50ms) << "a success ends the backing off";
}

TEST_F(batching, closing_makes_the_last_batch_due_at_once) {
  batch.close();
  EXPECT_TRUE(batch.is_empty());
  batch.add(1, start);
  EXPECT_FALSE(batch.is_empty());
  EXPECT_THAT(batch.next(start), ElementsAre(1));
  EXPECT_FALSE(batch.is_empty());
  batch.succeeded();
  EXPECT_TRUE(batch.is_empty());
}

// Any history of arrivals, successes and failures: everything is written once and in order, no
// batch is larger than what was received while there was room, and nothing is due later than
// promised.
RC_GTEST_PROP(batching_property, everything_is_written_once_and_in_order, ()) {
  const batch_rules rules{.size = *rc::gen::inRange<std::size_t>(1, 20),
                          .interval = std::chrono::milliseconds{*rc::gen::inRange(0, 30)},
                          .retry_min = 10ms,
                          .retry_max = 80ms};
  batcher<int> batch{rules};
  auto now = start;
  int added = 0;
  std::vector<int> written;
  std::vector<int> under_way;
  const auto steps = *rc::gen::inRange(1, 200);
  for (int i = 0; i < steps; ++i) {
    switch (*rc::gen::inRange(0, 5)) {
    case 0:
      if (batch.has_room())
        batch.add(++added, now);
      break;
    case 1:
      now += std::chrono::milliseconds{*rc::gen::inRange(0, 40)};
      break;
    case 2:
      batch.press();
      break;
    case 3: {
      const auto due = batch.due_at();
      auto got = batch.next(now);
      RC_ASSERT(got.empty() == !(due && *due <= now));
      RC_ASSERT(got.empty() || under_way.empty());
      RC_ASSERT(got.size() <= rules.size);
      if (!got.empty())
        under_way = std::move(got);
      break;
    }
    default:
      if (under_way.empty())
        break;
      const auto done = *rc::gen::inRange<std::size_t>(0, under_way.size() + 1);
      const auto left = under_way.begin() + static_cast<std::ptrdiff_t>(done);
      written.insert(written.end(), under_way.begin(), left);
      if (left == under_way.end()) {
        batch.succeeded();
      } else {
        const auto wait = batch.failed({left, under_way.end()}, now);
        RC_ASSERT(wait >= rules.retry_min && wait <= rules.retry_max);
      }
      under_way.clear();
    }
  }
  batch.close();
  for (now += rules.retry_max; !batch.is_empty(); batch.succeeded()) {
    const auto last = under_way.empty() ? batch.next(now) : std::exchange(under_way, {});
    RC_ASSERT(!last.empty());
    written.insert(written.end(), last.begin(), last.end());
  }
  std::vector<int> all(static_cast<std::size_t>(added));
  std::iota(all.begin(), all.end(), 1);
  RC_ASSERT(written == all);
}

} // namespace
} // namespace signalbox
