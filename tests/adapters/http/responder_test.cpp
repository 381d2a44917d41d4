#include "adapters/http/responder.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace signalbox::http {

namespace {

class responder_test : public ::testing::Test {
protected:
  std::vector<response> answers() {
    std::vector<completion> items;
    queue_->take(items);
    std::vector<response> out;
    for (auto& item : items)
      out.push_back(std::get<response>(item.event));
    return out;
  }

  boost::asio::io_context context_;
  int wake_ups_ = 0;
  std::shared_ptr<completion_queue> queue_ =
    std::make_shared<completion_queue>(context_, [this] { ++wake_ups_; });
};

TEST_F(responder_test, answers_once) {
  responder one{queue_, 1, 2};
  EXPECT_TRUE(one);
  one.answer({.status = 202});
  EXPECT_FALSE(one);
  one.answer({.status = 500});
  auto sent = answers();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].status, 202u);
}

TEST_F(responder_test, answers_503_when_destroyed_unanswered) {
  { responder one{queue_, 1, 2}; }
  auto sent = answers();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].status, 503u);
  ASSERT_EQ(sent[0].headers.size(), 1u);
  EXPECT_EQ(sent[0].headers[0].first, "Retry-After");
}

TEST_F(responder_test, a_moved_from_responder_owes_nothing) {
  responder one{queue_, 1, 2};
  responder other{std::move(one)};
  EXPECT_FALSE(one);
  other = responder{queue_, 1, 3};
  other.answer({.status = 200});
  auto sent = answers();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].status, 503u); // the one that was assigned over
  EXPECT_EQ(sent[1].status, 200u);
}

TEST_F(responder_test, many_answers_wake_the_loop_once) {
  for (int i = 0; i < 100; ++i)
    responder{queue_, 1, 2}.answer({});
  context_.run();
  EXPECT_EQ(wake_ups_, 1);
  EXPECT_EQ(answers().size(), 100u);
}

TEST_F(responder_test, a_closed_queue_drops_answers) {
  responder one{queue_, 1, 2};
  queue_->close();
  one.answer({});
  EXPECT_TRUE(answers().empty());
}

} // namespace

} // namespace signalbox::http
