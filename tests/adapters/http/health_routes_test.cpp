#include "adapters/http/openapi_document.hpp"
#include "tests/adapters/http/api_fixture.hpp"

#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

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
  const std::regex entry{"\n    (\\w+):\\s+\\{?name: ([\\w-]+),?\\s+in: (\\w+)"};
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

TEST_F(health_routes_test, every_operation_in_the_document_has_an_id_of_its_own_and_a_listed_tag) {
  const std::string text{openapi_document()};
  const auto paths = text.find("\npaths:\n");
  const auto components = text.find("\ncomponents:\n");
  ASSERT_LT(paths, components);
  std::set<std::string> tags;
  const auto head = text.substr(0, paths);
  const std::regex listed{"\n  - \\{name: ([^,]+),"};
  for (std::sregex_iterator it{head.begin(), head.end(), listed}, end; it != end; ++it)
    tags.insert((*it)[1]);
  const auto body = text.substr(paths, components - paths);
  const std::regex operation{
    "\n    (get|post|put|delete|patch):"
    "(\n      operationId: ([a-z][A-Za-z]*)\n      tags: \\[([^\\]]+)\\]\n)?"};
  std::set<std::string> ids;
  std::set<std::string> used;
  std::size_t count = 0;
  for (std::sregex_iterator it{body.begin(), body.end(), operation}, end; it != end; ++it) {
    ++count;
    EXPECT_TRUE(ids.insert((*it)[3]).second) << "not of its own: '" << (*it)[3] << "'" << it->str();
    used.insert((*it)[4]);
  }
  EXPECT_EQ(count, make_api(ports()).table().size());
  EXPECT_EQ(ids.count(""), 0u);
  EXPECT_EQ(used, tags);
}

/// Entries of YAML's flow mappings that have no value: what a comma cuts off a text that stands
/// without quotes.
std::vector<std::string> entries_without_value(std::string_view line) {
  struct level {
    bool is_mapping;
    bool has_value = false;
    std::size_t begin;
  };
  std::vector<level> open;
  std::vector<std::string> found;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto c = line[i];
    const auto before = line.find_last_not_of(' ', i == 0 ? 0 : i - 1);
    const bool begins =
      before != line.npos && std::string_view{":,[{"}.find(line[before]) != std::string_view::npos;
    if (begins && (c == '"' || c == '\'')) {
      for (++i; i < line.size() && line[i] != c; ++i)
        if (c == '"' && line[i] == '\\')
          ++i;
    } else if (c == '{' || c == '[') {
      open.push_back({c == '{', false, i + 1});
    } else if (!open.empty() && c == ':') {
      open.back().has_value = true;
    } else if (!open.empty() && (c == ',' || c == '}' || c == ']')) {
      auto& here = open.back();
      if (here.is_mapping && !here.has_value)
        found.emplace_back(line.substr(here.begin, i - here.begin));
      here = {here.is_mapping, false, i + 1};
      if (c != ',')
        open.pop_back();
    }
  }
  return found;
}

TEST_F(health_routes_test, no_text_in_the_document_loses_its_end) {
  const std::string_view spoilt =
    "  a: {type: string, description: One, two; three., enum: [x, y]}";
  EXPECT_EQ(entries_without_value(spoilt), std::vector<std::string>{" two; three."});
  static const std::regex flow{R"(\s*(- )?("[^"]*"|[\w.$-]+)?:? ?[\[{].*)"};
  std::istringstream in{std::string{openapi_document()}};
  std::size_t flows = 0;
  for (std::string line; std::getline(in, line);) {
    EXPECT_EQ(line.find(" #"), line.npos) << "a comment cuts it: " << line;
    if (!std::regex_match(line, flow))
      continue;
    ++flows;
    for (const auto& rest : entries_without_value(line))
      ADD_FAILURE() << "without quotes, a comma cuts off '" << rest << "': " << line;
  }
  EXPECT_GT(flows, 500u);
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
