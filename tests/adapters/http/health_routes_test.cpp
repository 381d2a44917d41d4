#include "adapters/http/openapi_document.hpp"
#include "tests/adapters/http/api_fixture.hpp"

#include <fstream>
#include <iterator>
#include <map>
#include <regex>
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

/// Name and place of every parameter that the document's operations share.
std::map<std::string, std::pair<std::string, std::string>> documented_parameters() {
  std::map<std::string, std::pair<std::string, std::string>> shared;
  const std::string text{openapi_document()};
  const auto begin = text.find("\n  parameters:\n", text.find("\ncomponents:"));
  const auto end = text.find("\n  responses:\n", begin);
  const std::regex entry{"\n    (\\w+):\\s+\\{?name: (\\w+),?\\s+in: (\\w+)"};
  const std::string part = text.substr(begin, end - begin);
  for (std::sregex_iterator it{part.begin(), part.end(), entry}, last; it != last; ++it)
    shared[(*it)[1]] = {(*it)[2], (*it)[3]};
  return shared;
}

using operations = std::map<std::string, std::set<std::string>>;

/// Method and path of every operation in the document, with its parameters in the query.
operations documented_routes() {
  const auto shared = documented_parameters();
  operations routes;
  std::istringstream in{std::string{openapi_document()}};
  std::string path;
  std::string operation;
  for (std::string line; std::getline(in, line);) {
    if (line == "components:")
      break;
    if (line.rfind("  /", 0) == 0)
      path = line.substr(2, line.size() - 3);
    for (std::string method : {"get", "post", "put", "delete", "patch"})
      if (line == "    " + method + ":") {
        for (auto& c : method)
          c = static_cast<char>(c - 'a' + 'A');
        operation = method + ' ' + path;
        routes[operation];
      }
    static const std::regex in_place{"        - \\{?name: (\\w+)(, in: query,.*)?"};
    if (std::smatch own; std::regex_match(line, own, in_place)) {
      const auto name = own[1].str();
      if (own[2].matched || (std::getline(in, line) && line == "          in: query"))
        routes[operation].insert(name);
    }
    const std::string reference = "#/components/parameters/";
    if (const auto at = line.find(reference); at != line.npos) {
      const auto name = line.substr(at + reference.size());
      const auto& [parameter, place] = shared.at(name.substr(0, name.find('"')));
      if (place == "query")
        routes[operation].insert(parameter);
    }
  }
  return routes;
}

TEST_F(health_routes_test, the_document_has_exactly_the_routes_and_parameters_that_are_served) {
  auto routes = make_api(ports());
  operations served;
  for (const auto* one : routes.table())
    served[std::string{to_string(one->method)} + ' ' + one->pattern] = {one->query.begin(),
                                                                        one->query.end()};
  EXPECT_EQ(documented_routes(), served);
  EXPECT_GT(served.size(), 20u);
}

TEST_F(health_routes_test, no_route_takes_a_query_parameter_that_it_does_not_know) {
  auto routes = make_api(ports());
  const std::string id = "0190163d-8694-739b-aea5-966c26f8ad90";
  for (const auto* one : routes.table()) {
    const auto path = std::regex_replace(one->pattern, std::regex{"\\{\\w+\\}"}, id);
    for (const std::string query : {"?dry_run=true", "?=1", "?a=%zz"}) {
      const auto method = std::string{to_string(one->method)};
      auto answer = ask(method, path + query, R"({"title":"t"})");
      EXPECT_EQ(answer.status, 400) << method << ' ' << one->pattern << query;
      EXPECT_NE(answer.body.find("\"errors\":[{\"pointer\":"), answer.body.npos) << answer.body;
    }
    for (const auto name : one->query) {
      const auto twice = std::string{name} + "=1&" + std::string{name} + "=2";
      EXPECT_EQ(ask(std::string{to_string(one->method)}, path + '?' + twice).status, 400) << twice;
    }
  }
  EXPECT_EQ(accepted().size(), 0u);
  EXPECT_TRUE(log_.take().empty());
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
