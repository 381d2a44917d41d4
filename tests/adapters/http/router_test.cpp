#include "adapters/http/router.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace signalbox::http {

namespace {

class router_test : public ::testing::Test {
protected:
  router_test() {
    for (auto& [method, pattern] : std::initializer_list<std::pair<verb, const char*>>{
           {verb::post, "/v1/users"},
           {verb::get, "/v1/users/{user}"},
           {verb::delete_, "/v1/users/{user}"},
           {verb::post, "/v1/users/tokens"},
           {verb::post, "/v1/tokens:batch"},
           {verb::delete_, "/v1/users/{user}/tokens/{token}"}})
      routes_.add({.method = method, .pattern = pattern, .handle = {}});
  }

  std::string pattern_of(verb method, std::string_view path) {
    auto match = routes_.find(method, path);
    return match.found ? match.found->pattern : "";
  }

  router routes_;
};

TEST_F(router_test, takes_a_path_with_or_without_its_trailing_slash) {
  EXPECT_EQ(pattern_of(verb::post, "/v1/users"), "/v1/users");
  EXPECT_EQ(pattern_of(verb::post, "/v1/users/"), "/v1/users");
  EXPECT_EQ(pattern_of(verb::post, "/v1/users//"), "");
  EXPECT_EQ(pattern_of(verb::post, "/v1//users"), "");
  EXPECT_EQ(pattern_of(verb::post, "/v1"), "");
}

TEST_F(router_test, decodes_parameters) {
  auto match = routes_.find(verb::delete_, "/v1/users/j%C3%BCrgen%2F1/tokens/a+b");
  ASSERT_NE(match.found, nullptr);
  ASSERT_EQ(match.parameters.size(), 2u);
  EXPECT_EQ(match.parameters[0].name, "user");
  EXPECT_EQ(match.parameters[0].value, "j\xC3\xBCrgen/1");
  EXPECT_EQ(match.parameters[1].name, "token");
  EXPECT_EQ(match.parameters[1].value, "a+b");
}

TEST_F(router_test, finds_an_escaped_literal) {
  EXPECT_EQ(pattern_of(verb::post, "/v1/tokens%3Abatch"), "/v1/tokens:batch");
}

TEST_F(router_test, a_literal_goes_before_a_parameter_only_for_its_own_methods) {
  EXPECT_EQ(pattern_of(verb::post, "/v1/users/tokens"), "/v1/users/tokens");
  EXPECT_EQ(pattern_of(verb::get, "/v1/users/tokens"), "/v1/users/{user}");
}

TEST_F(router_test, head_is_answered_by_get) {
  EXPECT_EQ(pattern_of(verb::head, "/v1/users/u"), "/v1/users/{user}");
}

TEST_F(router_test, tells_a_wrong_method_from_a_wrong_path) {
  auto wrong_method = routes_.find(verb::put, "/v1/users/u");
  EXPECT_EQ(wrong_method.found, nullptr);
  EXPECT_EQ(wrong_method.allowed, (std::vector{verb::get, verb::delete_}));
  EXPECT_TRUE(routes_.find(verb::get, "/v2").allowed.empty());
}

TEST_F(router_test, refuses_a_broken_escape) {
  for (auto path : {"/v1/users/%", "/v1/users/%4", "/v1/users/%zz"})
    EXPECT_TRUE(routes_.find(verb::get, path).malformed) << path;
}

TEST_F(router_test, refuses_a_second_route_for_the_same_place) {
  EXPECT_THROW(routes_.add({.method = verb::get, .pattern = "/v1/users/{id}", .handle = {}}),
               std::logic_error);
}

} // namespace

} // namespace signalbox::http
