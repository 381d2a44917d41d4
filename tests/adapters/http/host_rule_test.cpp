#include "adapters/http/host_rule.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace signalbox::http {

namespace {

int judge(std::string_view host, const std::vector<std::string>& names = {"push.example.com"}) {
  request head;
  head.set_target("/v1/users");
  head.add_field(field::host, "Host", host);
  const auto answer = refuse_host(head, names);
  return answer ? static_cast<int>(answer->status) : 200;
}

TEST(host_rule_test, takes_addresses_localhost_and_listed_names_with_any_port) {
  for (auto host : {"127.0.0.1", "127.0.0.1:8080", "10.0.0.7:80", "[::1]", "[::1]:8080", "[::]:1",
                    "[FE80::1]", "[::ffff:127.0.0.1]:8080", "localhost", "localhost:8080",
                    "LocalHost:1", "localhost.", "localhost.:8080",
                    "localhost:", "push.example.com", "Push.Example.COM:443", "push.example.com."})
    EXPECT_EQ(judge(host), 200) << host;
}

TEST(host_rule_test, tells_other_names_that_the_node_is_not_theirs) {
  for (auto host : {"evil.example", "evil.example:8080", "localhost.evil.example", "a.localhost",
                    "localhost..", "127.0.0.1.nip.io", "127.1", "2130706433", "0x7f000001",
                    "127.0.0.1.", "sub.push.example.com", "example.com", "*"})
    EXPECT_EQ(judge(host), 421) << host;
}

TEST(host_rule_test, refuses_what_is_no_host) {
  for (auto host : {"",
                    ":8080",
                    ".",
                    "a@localhost",
                    "@localhost",
                    "localhost:x",
                    "localhost:-1",
                    "localhost:0",
                    "localhost:65536",
                    "localhost:80:80",
                    "::1",
                    "[::1",
                    "::1]",
                    "[::1]x",
                    "[localhost]",
                    "[v1.a]",
                    "a b",
                    "localhost/",
                    "localhost?",
                    "http://localhost",
                    "local\"host",
                    "%zz",
                    "%6Cocalhost"})
    EXPECT_EQ(judge(host), 400) << host;
}

TEST(host_rule_test, names_the_setting_and_cuts_the_name) {
  request head;
  head.set_target("/");
  head.add_field(field::host, "Host", std::string(5'000, 'x'));
  const auto answer = refuse_host(head, {});
  ASSERT_TRUE(answer);
  EXPECT_NE(answer->body.find("http.hosts"), answer->body.npos);
  EXPECT_LT(answer->body.size(), 1'000u);
}

TEST(host_rule_test, judges_the_authority_of_the_target_as_well) {
  request head;
  head.set_target("HTTP://evil.example/v1/users");
  head.add_field(field::host, "Host", "localhost");
  ASSERT_TRUE(refuse_host(head, {}));
  EXPECT_EQ(refuse_host(head, {})->status, 421u);
  EXPECT_EQ(head.path(), "/v1/users");
}

RC_GTEST_PROP(host_rule_test, no_name_of_letters_is_taken_but_the_listed_ones, ()) {
  const auto name = *rc::gen::nonEmpty(
    rc::gen::container<std::string>(rc::gen::elementOf(std::string{"abclohsLOCALHOST.-19"})));
  const auto port = *rc::gen::elementOf(std::vector<std::string>{"", ":1", ":8080"});
  const auto host = parse_authority(name + port);
  const bool good = host && (host->is_address || host->name == "localhost");
  RC_ASSERT((judge(name + port, {}) == 200) == good);
  if (host && !host->is_address)
    RC_ASSERT(judge(name + port, {host->name}) == 200);
}

} // namespace

} // namespace signalbox::http
