#include "adapters/http/answer_queue.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace signalbox::http {

namespace {

class answer_queue_test : public ::testing::Test {
protected:
  /// The bodies that are written now, in order.
  std::string write(bool finish = false, std::size_t enough = 1'000'000) {
    std::string out;
    closed_ = queue_.write_ready("D", finish, enough, out, stream_);
    std::string bodies;
    for (std::size_t at = 0; (at = out.find("\r\n\r\n", at)) != out.npos; at += 4)
      bodies += out[at + 4];
    return bodies;
  }

  answer_queue queue_;
  bool closed_ = false;
  std::optional<answer_queue::open_stream> stream_;
};

TEST_F(answer_queue_test, a_stream_is_the_last_answer) {
  struct nothing : body_stream {
    void begin(std::function<void()>) override {}
    bool next(std::size_t, std::string&) override { return false; }
  };
  queue_.answer(queue_.open({}), {.body = "a"});
  const auto number = queue_.open({});
  queue_.answer(number, {.stream = std::make_shared<nothing>()});
  queue_.answer(queue_.open({}), {.body = "c"});
  write();
  EXPECT_TRUE(closed_);
  ASSERT_TRUE(stream_);
  EXPECT_EQ(stream_->number, number);
}

TEST_F(answer_queue_test, writes_no_more_than_enough_and_counts_the_rest) {
  for (char c : {'a', 'b', 'c'})
    queue_.answer(queue_.open({.reads = c == 'b'}), {.body = std::string(100, c)});
  EXPECT_EQ(queue_.bytes(), 300u);
  EXPECT_EQ(queue_.reads(), 1u);
  EXPECT_EQ(write(false, 150), "a");
  EXPECT_EQ(queue_.bytes(), 200u);
  EXPECT_TRUE(queue_.has_ready());
  EXPECT_EQ(write(), "bc");
  EXPECT_EQ(queue_.bytes(), 0u);
  EXPECT_EQ(queue_.reads(), 0u);
}

TEST_F(answer_queue_test, writes_in_the_order_of_the_requests) {
  auto a = queue_.open({});
  auto b = queue_.open({});
  auto c = queue_.open({});
  queue_.answer(c, {.body = "c"});
  EXPECT_EQ(write(), "");
  queue_.answer(a, {.body = "a"});
  EXPECT_EQ(write(), "a");
  EXPECT_EQ(queue_.first(), b);
  queue_.answer(b, {.body = "b"});
  EXPECT_EQ(write(), "bc");
  EXPECT_TRUE(queue_.empty());
}

TEST_F(answer_queue_test, the_first_answer_counts) {
  auto a = queue_.open({});
  queue_.answer(a, {.body = "a"});
  queue_.answer(a, {.body = "b"});
  EXPECT_EQ(write(), "a");
  queue_.answer(a, {.body = "c"});
  queue_.answer(a + 7, {.body = "d"});
  EXPECT_EQ(write(), "");
}

TEST_F(answer_queue_test, nothing_follows_an_answer_that_closes) {
  auto a = queue_.open({});
  auto b = queue_.open({});
  queue_.close_after(a);
  queue_.answer(a, {.body = "a"});
  queue_.answer(b, {.body = "b"});
  EXPECT_EQ(write(), "a");
  EXPECT_TRUE(closed_);
}

TEST_F(answer_queue_test, finishing_closes_with_the_last_answer_alone) {
  auto a = queue_.open({});
  auto b = queue_.open({});
  queue_.answer(a, {.body = "a"});
  EXPECT_EQ(write(true), "a");
  EXPECT_FALSE(closed_);
  queue_.answer(b, {.body = "b"});
  EXPECT_EQ(write(true), "b");
  EXPECT_TRUE(closed_);
}

TEST_F(answer_queue_test, a_deadline_answers_what_nobody_else_has) {
  const std::chrono::steady_clock::time_point now{std::chrono::hours{1}};
  auto a = queue_.open({});
  auto b = queue_.open({});
  queue_.set_deadline(a, {now, {.body = "x"}});
  queue_.set_deadline(b, {now, {.body = "y"}});
  EXPECT_FALSE(queue_.answer_late(now - std::chrono::milliseconds{1}));
  queue_.answer(a, {.body = "a"});
  EXPECT_TRUE(queue_.answer_late(now));
  EXPECT_FALSE(queue_.answer_late(now));
  EXPECT_EQ(write(), "ay");
}

} // namespace

} // namespace signalbox::http
