#include "adapters/simulator/device_log.hpp"
#include "adapters/simulator/text_hash.hpp"
#include "tests/adapters/simulator/simulator_fixture.hpp"

#include <gtest/gtest.h>

namespace signalbox::sim {
namespace {

class device_log_test : public testing::Test {
protected:
  void record(const std::string& token, const std::string& body = "{}", bool is_accepted = true,
              bool is_live_activity = false) {
    const auto path = "/3/device/" + token;
    log.record(token, text_hash(token), {"POST", path, fields, body, body.size()}, is_accepted,
               is_live_activity);
  }
  void record_activity(int number) { record(test::device(number), "{}", true, true); }

  std::vector<header_field> fields{{"apns-id", "one"}, {"apns-topic", "com.example.app"}};
  device_log log;
};

TEST_F(device_log_test, tells_devices_with_one_body_apart_by_their_own_fields) {
  record("aa");
  fields[0].value = "two";
  record("bb");
  EXPECT_EQ(log.find("aa")->at("last").at("headers").at("apns-id"), test::json("one"));
  EXPECT_EQ(log.find("aa")->at("last").at("headers").at(":path"), test::json("/3/device/aa"));
  EXPECT_EQ(log.find("bb")->at("last").at("headers").at("apns-id"), test::json("two"));
  EXPECT_EQ(log.find("bb")->at("last").at("headers").at("apns-topic"),
            test::json("com.example.app"));
  EXPECT_FALSE(log.find("cc"));
}

TEST_F(device_log_test, an_earlier_body_stays_with_its_device) {
  record("aa", R"({"n":1})");
  record("bb", R"({"n":2})");
  record("bb", R"({"n":3})", false);
  EXPECT_EQ(log.find("aa")->at("last").at("body").at("n"), test::json(1));
  EXPECT_EQ(log.find("bb")->at("last").at("body").at("n"), test::json(2));
  EXPECT_EQ(log.find("bb")->at("requests"), test::json(2));
}

TEST_F(device_log_test, shows_a_body_byte_for_byte_too) {
  const std::string sent = R"({ "n":12345678901234.56789,"m":1e2, "t":"ü"})";
  record("aa", sent);
  EXPECT_EQ(log.find("aa")->at("last").at("body_text").as_string(), sent);
}

TEST_F(device_log_test, shows_a_body_that_is_no_json_as_text) {
  record("aa", "x");
  EXPECT_EQ(log.find("aa")->at("last").at("body"), test::json("x"));
}

TEST_F(device_log_test, keeps_the_first_devices_of_pushes) {
  const auto limit = static_cast<int>(device_log::push_limit);
  for (int i = 0; i <= limit; ++i)
    record(test::device(i));
  record(test::device(0));
  EXPECT_EQ(log.find(test::device(0))->at("requests"), test::json(2));
  EXPECT_TRUE(log.find(test::device(limit - 1)));
  EXPECT_FALSE(log.find(test::device(limit)));
  record_activity(limit);
  EXPECT_TRUE(log.find(test::device(limit)));
  log.clear();
  EXPECT_FALSE(log.find(test::device(0)));
  record(test::device(limit));
  EXPECT_TRUE(log.find(test::device(limit)));
}

TEST_F(device_log_test, keeps_the_newest_devices_of_live_activities) {
  const auto limit = static_cast<int>(device_log::live_activity_limit);
  for (int i = 0; i <= limit; ++i)
    record_activity(i);
  EXPECT_FALSE(log.find(test::device(0)));
  EXPECT_TRUE(log.find(test::device(1)));
  EXPECT_TRUE(log.find(test::device(limit)));
}

TEST_F(device_log_test, keeps_all_when_asked_to) {
  log.enable(true);
  const auto limit = static_cast<int>(device_log::live_activity_limit);
  for (int i = 0; i <= limit; ++i)
    record_activity(i);
  for (int i = 0; i <= limit; ++i)
    record(test::device(limit + 1 + i));
  EXPECT_TRUE(log.find(test::device(0)));
  EXPECT_TRUE(log.find(test::device(2 * limit + 1)));
}

} // namespace
} // namespace signalbox::sim
