#include "actors/apns_reactions.hpp"
#include "actors/apns_verdict.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

answer ended(answer_kind kind, std::uint16_t status, std::string reason) {
  answer made;
  made.kind = kind;
  made.status = status;
  made.reason = std::move(reason);
  return made;
}

struct trouble_of {
  answer_kind kind;
  std::uint16_t status;
  std::string reason;
  trouble want;
};

class apns_trouble : public ::testing::TestWithParam<trouble_of> {};

TEST_P(apns_trouble, is_what_the_table_says) {
  const auto& given = GetParam();
  EXPECT_EQ(judge_apns(ended(given.kind, given.status, given.reason)).trouble, given.want);
}

INSTANTIATE_TEST_SUITE_P(
  each, apns_trouble,
  ::testing::Values(
    trouble_of{answer_kind::answered, 500, "InternalServerError", trouble::outage},
    trouble_of{answer_kind::answered, 503, "ServiceUnavailable", trouble::outage},
    trouble_of{answer_kind::answered, 502, "", trouble::outage},
    trouble_of{answer_kind::answered, 503, "Shutdown", trouble::outage},
    trouble_of{answer_kind::unknown, 0, "timeout", trouble::outage},
    trouble_of{answer_kind::unsent, 0, "connect", trouble::outage},
    trouble_of{answer_kind::unsent, 0, std::string{apns_orderly_refusal}, trouble::none},
    trouble_of{answer_kind::unsent, 0, std::string{apns_stopping}, trouble::none},
    trouble_of{answer_kind::unsent, 0, std::string{apns_no_credentials}, trouble::configuration},
    trouble_of{answer_kind::answered, 403, "InvalidProviderToken", trouble::configuration},
    trouble_of{answer_kind::answered, 400, "TopicDisallowed", trouble::configuration},
    trouble_of{answer_kind::answered, 400, "BadTopic", trouble::configuration},
    trouble_of{answer_kind::answered, 400, "MissingTopic", trouble::configuration},
    trouble_of{answer_kind::answered, 403, "MadeUpReason", trouble::none},
    trouble_of{answer_kind::answered, 403, "ExpiredProviderToken", trouble::outage},
    trouble_of{answer_kind::answered, 410, "Unregistered", trouble::none},
    trouble_of{answer_kind::answered, 429, "TooManyProviderTokenUpdates", trouble::outage},
    trouble_of{answer_kind::answered, 429, "TooManyRequests", trouble::none}));

TEST(apns_verdict, a_429_throttles) {
  EXPECT_TRUE(judge_apns(ended(answer_kind::answered, 429, "TooManyRequests")).throttled);
  EXPECT_FALSE(judge_apns(ended(answer_kind::answered, 503, "ServiceUnavailable")).throttled);
}

} // namespace
} // namespace signalbox
