#include "adapters/http/openapi_document.hpp"
#include "tests/adapters/http/api_fixture.hpp"

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

namespace signalbox::http {

namespace {

class health_routes_test : public api_fixture {};

TEST_F(health_routes_test, answers_pong_and_ok) {
  EXPECT_EQ(ask("GET", "/v1/ping").body, "pong");
  EXPECT_EQ(ask("GET", "/v1/ping/").body, "pong");
  EXPECT_EQ(ask("GET", "/livez").body, "ok");
  EXPECT_EQ(ask("GET", "/startupz").body, "ok");
  EXPECT_EQ(ask("GET", "/metrics").body, "signalbox_up 1\n");
}

TEST_F(health_routes_test, is_ready_when_every_check_is_good) {
  checks_ = {{"push.ingest", true, "1 of 10 places taken"}};
  auto answer = ask("GET", "/readyz");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"status":"ready","checks":[{"name":"stop","ok":true},)"
                         R"({"name":"push.ingest","ok":true,"detail":"1 of 10 places taken"},)"
                         R"({"name":"store","ok":true,"detail":"told so"}]})");
}

TEST_F(health_routes_test, is_not_ready_when_a_check_fails) {
  checks_ = {{"push.ingest", false, "10 of 10 places taken"}};
  EXPECT_EQ(ask("GET", "/readyz").status, 503);
  checks_.clear();
  EXPECT_EQ(ask("GET", "/readyz").status, 200);
  jobs_.code = errc::unavailable;
  EXPECT_EQ(ask("GET", "/readyz").status, 503);
}

TEST_F(health_routes_test, is_not_ready_when_the_store_says_nothing) {
  jobs_.silent = true;
  auto answer = ask("GET", "/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find("no answer within 2 s"), std::string::npos) << answer.body;
  EXPECT_EQ(ask("GET", "/livez").status, 200);
}

TEST_F(health_routes_test, is_not_ready_while_stopping) {
  serve();
  door_.close();
  auto answer = ask("GET", "/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find("the node is stopping"), std::string::npos);
}

/// Method and path of every operation in the document.
std::set<std::string> documented_routes() {
  std::set<std::string> routes;
  std::istringstream in{std::string{openapi_document()}};
  std::string path;
  for (std::string line; std::getline(in, line);) {
    if (line == "components:")
      break;
    if (line.rfind("  /", 0) == 0)
      path = line.substr(2, line.size() - 3);
    for (std::string method : {"get", "post", "put", "delete", "patch"})
      if (line == "    " + method + ":") {
        for (auto& c : method)
          c = static_cast<char>(c - 'a' + 'A');
        routes.insert(method + ' ' + path);
      }
  }
  return routes;
}

TEST_F(health_routes_test, the_document_has_exactly_the_routes_that_are_served) {
  auto routes = make_api(ports());
  std::set<std::string> served;
  for (const auto& [method, path] : routes.table())
    served.insert(method + ' ' + path);
  EXPECT_EQ(documented_routes(), served);
  EXPECT_GT(served.size(), 20u);
}

TEST_F(health_routes_test, serves_the_document) {
  std::ifstream file{SOURCE_DIR "/docs/openapi.yaml"};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  auto answer = ask("GET", "/openapi.yaml");
  EXPECT_EQ(answer.fields["content-type"], "application/yaml");
  EXPECT_EQ(answer.body, text);
}

} // namespace

} // namespace signalbox::http
