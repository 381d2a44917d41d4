#include "tests/adapters/http/api_fixture.hpp"

#include <boost/json/serialize.hpp>

namespace signalbox::http {

namespace {

using calls = std::vector<std::string>;

const std::string path = "/v1/live-activity/channels";

class channel_routes_test : public api_fixture {};

TEST_F(channel_routes_test, creates_a_channel) {
  const auto answer = ask("POST", path, R"({"messageStoragePolicy":"none"})");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body,
            R"({"channelId":"dGVzdA==","environment":"production","messageStoragePolicy":"none"})");
  EXPECT_EQ(ask("POST", path, R"({"messageStoragePolicy":"latest","environment":"sandbox"})").body,
            R"({"channelId":"dGVzdA==","environment":"sandbox","messageStoragePolicy":"latest"})");
  EXPECT_EQ(log_.take(),
            (calls{"create_channel production none", "create_channel sandbox latest"}));
}

TEST_F(channel_routes_test, names_what_is_wrong_with_a_creation) {
  const auto wrong = [this](const std::string& body) {
    const auto answer = ask("POST", path, body);
    EXPECT_EQ(answer.status, 400) << body;
    return pointers(answer);
  };
  EXPECT_EQ(wrong("{"), "");
  EXPECT_EQ(wrong("[]"), "");
  EXPECT_EQ(wrong("{}"), "/messageStoragePolicy");
  EXPECT_EQ(wrong(R"({"messageStoragePolicy":1})"), "/messageStoragePolicy");
  EXPECT_EQ(wrong(R"({"messageStoragePolicy":"all","environment":"test"})"),
            "/messageStoragePolicy /environment");
  EXPECT_EQ(wrong(R"({"messageStoragePolicy":"none","name":"x"})"), "/name");
  EXPECT_TRUE(log_.take().empty());
}

TEST_F(channel_routes_test, lists_channels_in_pages) {
  const auto answer = ask("GET", path + "?environment=sandbox&limit=2");
  EXPECT_EQ(answer.status, 200);
  const auto body = boost::json::parse(answer.body);
  EXPECT_EQ(boost::json::serialize(body.at("items")),
            R"([{"channelId":"a+/=","environment":"sandbox"},)"
            R"({"channelId":"dGVzdA==","environment":"sandbox"}])");
  const std::string cursor{body.at("next_cursor").as_string()};
  EXPECT_EQ(ask("GET", path + "?environment=sandbox&limit=2&cursor=" + cursor).status, 200);
  EXPECT_EQ(ask("GET", path + "?limit=2&cursor=" + cursor).status, 400);
  EXPECT_EQ(ask("GET", path + "?environment=x").status, 400);
  EXPECT_EQ(log_.take(), (calls{"list_channels sandbox after= limit=2",
                                "list_channels sandbox after=dGVzdA== limit=2"}));
}

TEST_F(channel_routes_test, deletes_what_the_encoded_path_names) {
  EXPECT_EQ(ask("DELETE", path + "/a%2B%2F%3D").status, 204);
  EXPECT_EQ(ask("DELETE", path + "/dGVzdA==?environment=sandbox").status, 204);
  EXPECT_EQ(ask("DELETE", path + "/no%20base64").status, 400);
  EXPECT_EQ(ask("DELETE", path + "/a%0Db").status, 400);
  EXPECT_EQ(ask("DELETE", path + "/" + std::string(257, 'A')).status, 400);
  EXPECT_EQ(ask("DELETE", path + "/dGVzdA==?environment=x").status, 400);
  EXPECT_EQ(log_.take(),
            (calls{"delete_channel production a+/=", "delete_channel sandbox dGVzdA=="}));
}

TEST_F(channel_routes_test, errors_keep_their_status_and_text) {
  for (const auto& [code, status] :
       {std::pair{errc::not_found, 404u}, {errc::conflict, 409u}, {errc::unavailable, 503u}}) {
    channels_.code = code;
    const auto answer = ask("DELETE", path + "/dGVzdA==");
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(boost::json::parse(answer.body).at("detail").as_string(), "told so");
  }
}

} // namespace

} // namespace signalbox::http
