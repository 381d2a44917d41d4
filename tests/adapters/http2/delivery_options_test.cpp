#include "adapters/http2/delivery_options.hpp"

#include <gtest/gtest.h>

using namespace signalbox;

namespace {

TEST(delivery_options, the_authority_names_the_port_unless_it_is_that_of_https) {
  EXPECT_EQ(authority_of({"api.push.apple.com", "443"}), "api.push.apple.com");
  EXPECT_EQ(authority_of({"api.push.apple.com", "2197"}), "api.push.apple.com:2197");
}

TEST(delivery_options, an_ipv6_address_stands_in_brackets_there) {
  EXPECT_EQ(authority_of({"::1", "443"}), "[::1]");
  EXPECT_EQ(authority_of({"::1", "2197"}), "[::1]:2197");
}

} // namespace
