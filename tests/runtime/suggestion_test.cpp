#include "runtime/suggestion.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

const std::vector<std::string> names{"http.port", "http.address", "apns.proxy",
                                     "lane.push.masters"};

TEST(suggestion, finds_swapped_missing_and_extra_letters) {
  EXPECT_EQ(did_you_mean("http.prot", names), "; did you mean http.port?");
  EXPECT_EQ(did_you_mean("http.adress", names), "; did you mean http.address?");
  EXPECT_EQ(did_you_mean("lane.push.master", names), "; did you mean lane.push.masters?");
  EXPECT_EQ(did_you_mean("htttp.port", names), "; did you mean http.port?");
}

TEST(suggestion, finds_a_name_that_lost_its_group) {
  EXPECT_EQ(did_you_mean("masters", names), "; did you mean lane.push.masters?");
  EXPECT_EQ(did_you_mean("server.listen.port", names), "; did you mean http.port?");
}

TEST(suggestion, is_silent_when_nothing_is_near) {
  EXPECT_EQ(did_you_mean("http.compression-level", names), "");
  EXPECT_EQ(did_you_mean("", names), "");
  EXPECT_EQ(did_you_mean("http.port", {}), "");
  EXPECT_EQ(did_you_mean(std::string(100000, 'x'), names), "");
}

} // namespace
} // namespace signalbox
