#include "adapters/simulator/apns_payload.hpp"
#include "adapters/simulator/exchange.hpp"

#include <gtest/gtest.h>

namespace signalbox::sim {
namespace {

class apns_payload_test : public testing::Test {
protected:
  apns_payload read(std::string body) {
    body.reserve(body.size() + body_padding);
    return reader.read(body);
  }

  apns_payload_reader reader{"version"};
};

TEST_F(apns_payload_test, wants_an_object_with_an_aps_dictionary) {
  EXPECT_TRUE(read(R"({"aps":{}})").well_formed);
  EXPECT_TRUE(read(R"({"k":[1,2],"aps":{"alert":"x"}})").well_formed);
  for (const std::string bad : {"{", "[]", "x", R"("aps")", "{}", R"({"aps":1})", R"({"aps":{}} x)",
                                R"({"aps":{},"k":})", R"({"k":{"aps":{}}})"})
    EXPECT_FALSE(read(bad).well_formed) << bad;
}

TEST_F(apns_payload_test, finds_the_order_member) {
  EXPECT_EQ(read(R"({"aps":{"content-state":{"version":12}}})").order, 12.0);
  EXPECT_EQ(read(R"({"aps":{"content-state":{"version":1.5}}})").order, 1.5);
  EXPECT_FALSE(read(R"({"aps":{"content-state":{"version":"12"}}})").order);
  EXPECT_FALSE(read(R"({"aps":{"content-state":{"seq":12}}})").order);
  EXPECT_FALSE(read(R"({"aps":{"version":12}})").order);
}

TEST_F(apns_payload_test, tells_bodies_of_the_same_length_apart) {
  EXPECT_EQ(read(R"({"aps":{"content-state":{"version":1}}})").order, 1.0);
  EXPECT_EQ(read(R"({"aps":{"content-state":{"version":2}}})").order, 2.0);
  EXPECT_EQ(read(R"({"aps":{"content-state":{"version":2}}})").order, 2.0);
  EXPECT_FALSE(read(R"({"aps":{"content-state":{"version":x}}})").well_formed);
  EXPECT_EQ(read(R"({"aps":{"content-state":{"version":1}}})").order, 1.0);
}

} // namespace
} // namespace signalbox::sim
