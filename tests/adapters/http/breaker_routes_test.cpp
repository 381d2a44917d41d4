#include "tests/adapters/http/api_fixture.hpp"

namespace signalbox::http {

namespace {

using calls = std::vector<std::string>;

class breaker_routes_test : public api_fixture {
protected:
  breaker_routes_test() {
    outage_.place = {
      "push", {default_app, platform::apns, environment::sandbox}, breaker_kind::outage};
    outage_.state = breaker_state::open;
    outage_.reason = "ServiceUnavailable";
    outage_.next_probe = timestamp{};
    refused_.place = {
      "push", {default_app, platform::fcm, environment::production}, breaker_kind::configuration};
    refused_.state = breaker_state::open;
    refused_.reason = "PERMISSION_DENIED";
    breakers_.put(outage_);
    breakers_.put(refused_);
  }

  std::string reset(const std::string& body) {
    return ask("POST", "/v1/breakers:reset", body).body;
  }

  breaker_view outage_;
  breaker_view refused_;
};

TEST_F(breaker_routes_test, lists_what_is_not_closed) {
  EXPECT_EQ(ask("GET", "/v1/breakers").body,
            R"({"items":[{"lane":"push","app":"default","provider":"apns","environment":"sandbox",)"
            R"("kind":"outage","state":"open","reason":"ServiceUnavailable",)"
            R"("since":"1970-01-01T00:00:00.000Z","next_probe":"1970-01-01T00:00:00.000Z"},)"
            R"({"lane":"push","app":"default","provider":"fcm","environment":"production",)"
            R"("kind":"configuration","state":"open","reason":"PERMISSION_DENIED",)"
            R"("since":"1970-01-01T00:00:00.000Z","next_probe":null}]})");
  outage_.state = breaker_state::closed;
  refused_.state = breaker_state::closed;
  breakers_.put(outage_);
  breakers_.put(refused_);
  EXPECT_EQ(ask("GET", "/v1/breakers/").body, R"({"items":[]})");
  EXPECT_EQ(pointers(ask("GET", "/v1/breakers?lane=push")), "lane");
}

TEST_F(breaker_routes_test, resets_what_fits) {
  const std::string outage = "reset apns sandbox outage";
  const std::string refused = "reset fcm production configuration";
  EXPECT_EQ(reset("{}"), R"({"reset":2})");
  EXPECT_EQ(wait_for_calls(2), (calls{outage, refused}));
  EXPECT_EQ(reset(R"({"kind":"outage"})"), R"({"reset":1})");
  EXPECT_EQ(wait_for_calls(1), calls{outage});
  EXPECT_EQ(reset(R"({"environment":"sandbox","provider":"fcm"})"), R"({"reset":0})");
  EXPECT_EQ(reset(R"({"provider":"fcm"})"), R"({"reset":1})");
  EXPECT_EQ(wait_for_calls(1), calls{refused});
  EXPECT_EQ(reset(R"({"environment":"sandbox","lane":"push"})"), R"({"reset":1})");
  EXPECT_EQ(wait_for_calls(1), calls{outage});
}

TEST_F(breaker_routes_test, a_host_that_cannot_be_connected_to_is_listed_and_cannot_be_reset) {
  outage_.state = breaker_state::closed;
  refused_.state = breaker_state::closed;
  breakers_.put(outage_);
  breakers_.put(refused_);
  breakers_.put({{"", {}, breaker_kind::connection, "api.push.apple.com:443"},
                 breaker_state::open,
                 "proxy 10.0.0.1:3128: HTTP/1.1 407",
                 timestamp{},
                 std::nullopt});
  EXPECT_EQ(ask("GET", "/v1/breakers").body,
            R"({"items":[{"app":"default","provider":"apns","environment":"production",)"
            R"("kind":"connection","server":"api.push.apple.com:443","state":"open",)"
            R"("reason":"proxy 10.0.0.1:3128: HTTP/1.1 407",)"
            R"("since":"1970-01-01T00:00:00.000Z","next_probe":null}]})");
  EXPECT_EQ(reset("{}"), R"({"reset":0})");
  EXPECT_EQ(pointers(ask("POST", "/v1/breakers:reset", R"({"kind":"connection"})")), "/kind");
  EXPECT_EQ(log_.take(), calls{});
}

TEST_F(breaker_routes_test, a_reset_that_cannot_be_meant_is_refused) {
  const auto answer =
    ask("POST", "/v1/breakers:reset",
        R"({"lane":"none","provider":"x","environment":1,"kind":"storm","app":"default"})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(pointers(answer), "/lane /provider /environment /kind /app");
  EXPECT_EQ(pointers(ask("POST", "/v1/breakers:reset", "[]")), "");
  EXPECT_EQ(ask("POST", "/v1/breakers:reset", "{}", "text/plain").status, 415);
  EXPECT_EQ(ask("GET", "/v1/breakers:reset").status, 405);
  EXPECT_EQ(log_.take(), calls{});
}

} // namespace

} // namespace signalbox::http
