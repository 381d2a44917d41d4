#include "adapters/simulator/closing_log.hpp"
#include "tests/support/log_capture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace signalbox::sim {
namespace {

TEST(closing_log_test, a_line_names_provider_peer_requests_and_reason) {
  tests::log_capture log;
  closing_log{}.note({"apns", "127.0.0.1:5", 7, "the \"reason\"", true});
  EXPECT_NE(log.text().find(R"(event=connection_closed provider=apns peer=127.0.0.1:5 requests=7 )"
                            R"(left_out=0 reason="the \"reason\"")"),
            std::string::npos)
    << log.text();
  EXPECT_NE(log.text().find("[warning]"), std::string::npos);
}

TEST(closing_log_test, more_than_twenty_in_a_second_are_counted_and_told_later) {
  tests::log_capture log;
  closing_log target;
  const auto lines = [&] {
    const auto text = log.text();
    return std::count(text.begin(), text.end(), '\n');
  };
  const closing_log::clock::time_point start{std::chrono::hours{1}};
  for (int i = 0; i < 50; ++i)
    target.note({"fcm", "p", 0, "r"}, start + std::chrono::milliseconds{10 * i});
  EXPECT_EQ(lines(), 20);
  EXPECT_EQ(log.text().find("left_out=30"), std::string::npos);
  target.note({"fcm", "p", 0, "r"}, start + std::chrono::milliseconds{1000});
  EXPECT_EQ(lines(), 21);
  EXPECT_NE(log.text().find("left_out=30"), std::string::npos) << log.text();
  target.note({"fcm", "p", 0, "r"}, start + std::chrono::milliseconds{1001});
  EXPECT_EQ(lines(), 22);
}

} // namespace
} // namespace signalbox::sim
