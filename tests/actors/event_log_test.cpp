#include "actors/event_log.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace signalbox {
namespace {

live_event event(std::string about, std::string text, bool final = false, bool narrow = false) {
  return {std::move(about), final, narrow, std::make_shared<const std::string>(std::move(text))};
}

class event_log_test : public testing::Test {
protected:
  std::string texts_since(const std::string& id) {
    const auto missed = log.since(id);
    if (!missed)
      return "nothing known";
    std::string all;
    for (const auto& each : *missed)
      all += *each.text;
    return all;
  }

  event_log log{"run", 1'000};
};

TEST_F(event_log_test, numbers_what_it_takes) {
  EXPECT_EQ(*log.append(event("a", "A"))->text, "id: run-1\nA");
  EXPECT_EQ(*log.append(event("b", "B"))->text, "id: run-2\nB");
  EXPECT_EQ(log.last(), 2u);
  EXPECT_EQ(*log.with_id(event("c", "C"), 2).text, "id: run-2\nC");
}

TEST_F(event_log_test, takes_no_event_that_says_what_the_last_one_said) {
  log.append(event("a", "A"));
  EXPECT_FALSE(log.append(event("a", "A")));
  EXPECT_TRUE(log.append(event("b", "A")));
  EXPECT_TRUE(log.append(event("a", "AA")));
  EXPECT_TRUE(log.append(event("a", "A")));
}

TEST_F(event_log_test, tells_what_was_missed_of_each_thing_the_newest) {
  log.append(event("a", "1"));
  log.append(event("b", "2"));
  log.append(event("a", "3"));
  log.append(event("c", "4", false, true));
  EXPECT_EQ(texts_since("run-0"), "id: run-2\n2id: run-3\n3");
  EXPECT_EQ(texts_since("run-2"), "id: run-3\n3");
  EXPECT_EQ(texts_since("run-4"), "");
}

TEST_F(event_log_test, knows_nothing_of_other_ids) {
  log.append(event("a", "1"));
  for (const auto* id : {"", "run", "run-", "run-2", "run-x", "run-1x", "other-1", "run--1",
                         "run-99999999999999999999999"})
    EXPECT_EQ(texts_since(id), "nothing known") << id;
}

TEST_F(event_log_test, forgets_the_oldest) {
  for (int i = 0; i < 20; ++i)
    log.append(event(std::to_string(i), std::string(100, 'x')));
  EXPECT_EQ(texts_since("run-1"), "nothing known");
  EXPECT_NE(texts_since("run-19"), "nothing known");
  EXPECT_FALSE(log.newest("0"));
  EXPECT_TRUE(log.newest("19"));
  EXPECT_TRUE(log.append(event("0", std::string(100, 'x')))) << "it is no longer known";
}

TEST_F(event_log_test, knows_the_oldest_that_it_can_go_on_from) {
  for (int i = 1; i <= 20; ++i)
    log.append(event(std::to_string(i), std::string(100, 'x')));
  int first = 1;
  while (!log.since("run-" + std::to_string(first)))
    ++first;
  EXPECT_EQ(log.since("run-" + std::to_string(first))->size(), 20u - first);
  EXPECT_TRUE(log.newest(std::to_string(first + 1)));
  EXPECT_FALSE(log.newest(std::to_string(first)));
}

TEST_F(event_log_test, an_event_larger_than_the_log_is_not_kept) {
  EXPECT_TRUE(log.append(event("a", std::string(2'000, 'x'))));
  EXPECT_FALSE(log.newest("a"));
  EXPECT_EQ(texts_since("run-0"), "nothing known");
  EXPECT_EQ(texts_since("run-1"), "");
}

TEST_F(event_log_test, knows_which_event_was_the_last_about_something) {
  log.append(event("a", "1"));
  log.append(event("a", "2", true));
  EXPECT_FALSE(log.was_final("run-1", "a"));
  EXPECT_TRUE(log.was_final("run-2", "a"));
  EXPECT_FALSE(log.was_final("run-2", "b"));
  EXPECT_FALSE(log.was_final("run-3", "a"));
  EXPECT_FALSE(log.was_final("other-2", "a"));
}

} // namespace
} // namespace signalbox
