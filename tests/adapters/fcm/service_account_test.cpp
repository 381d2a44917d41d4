#include "adapters/fcm/service_account.hpp"
#include "tests/adapters/fcm/fcm_fixture.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace signalbox;

namespace {

boost::json::object valid_account() {
  const auto files = sim::ensure_tls_material(simulator_directory::path());
  sim::write_service_account(files, "https://localhost:4711/token");
  std::ostringstream text;
  text << std::ifstream{files.service_account}.rdbuf();
  return boost::json::parse(text.str()).as_object();
}

result<service_account> parse(const boost::json::object& members) {
  return parse_service_account(boost::json::serialize(members), "account.json");
}

TEST(service_account, is_read_as_google_hands_it_out) {
  const auto read = parse(valid_account());
  ASSERT_TRUE(read.ok()) << read.message;
  EXPECT_EQ(read.value.project, "signalbox-sim");
  EXPECT_EQ(read.value.client_email, sim::fcm_client_email);
  EXPECT_EQ(read.value.token_endpoint.host, "localhost");
  EXPECT_EQ(read.value.token_endpoint.port, "4711");
  EXPECT_EQ(read.value.token_endpoint.path, "/token");
}

TEST(service_account, the_port_of_https_goes_without_saying) {
  auto members = valid_account();
  members["token_uri"] = "https://oauth2.googleapis.com/token";
  const auto read = parse(members);
  ASSERT_TRUE(read.ok()) << read.message;
  EXPECT_EQ(read.value.token_endpoint.host, "oauth2.googleapis.com");
  EXPECT_EQ(read.value.token_endpoint.port, "443");
}

TEST(service_account, what_is_wrong_is_named_and_the_key_is_not_shown) {
  for (const auto* member : {"project_id", "client_email", "private_key", "token_uri"}) {
    auto members = valid_account();
    members.erase(member);
    EXPECT_EQ(parse(members).message, std::string{"account.json: \""} + member + "\" is missing");
  }
  auto members = valid_account();
  members["type"] = "authorized_user";
  EXPECT_EQ(parse(members).message, "account.json: \"type\" is not \"service_account\"");
  members = valid_account();
  members["private_key"] = "secret";
  EXPECT_EQ(parse(members).message,
            "account.json: \"private_key\" is not an RSA private key in PEM");
  for (const auto* odd : {"http://localhost/token", "token", "https://"}) {
    members = valid_account();
    members["token_uri"] = odd;
    EXPECT_EQ(parse(members).message, "account.json: \"token_uri\" is not an https URL") << odd;
  }
  EXPECT_EQ(parse_service_account("[", "a").message, "a: not a JSON object");
}

TEST(service_account, a_missing_file_is_named) {
  const auto read = read_service_account("/nowhere/account.json");
  EXPECT_EQ(read.code, errc::invalid);
  EXPECT_EQ(read.message, "/nowhere/account.json: No such file or directory");
}

TEST(service_account, an_assertion_is_a_signed_token_of_three_parts) {
  const auto account = parse(valid_account());
  const auto assertion =
    sign_assertion(account.value, std::chrono::sys_seconds{std::chrono::seconds{1'700'000'000}});
  ASSERT_TRUE(assertion.ok()) << assertion.message;
  EXPECT_EQ(std::count(assertion.value.begin(), assertion.value.end(), '.'), 2);
}

} // namespace
