#include "adapters/http/cursor.hpp"
#include "adapters/http/query_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace signalbox::http {

namespace {

class query_reader_test : public ::testing::Test {
protected:
  query_reader read(std::string_view target) {
    request_.set_target(target);
    errors_.clear();
    request_.query_parameters =
      parse_query(request_.query(), {"limit", "cursor", "status"}, errors_);
    return {request_, errors_};
  }

  std::string pointers() {
    std::string out;
    for (const auto& error : errors_)
      out += error.pointer + ' ';
    return out;
  }

  request request_;
  std::vector<field_error> errors_;
};

TEST_F(query_reader_test, decodes_values) {
  auto query = read("/v1/users?status=a%20b+c&&limit=7");
  EXPECT_EQ(query.get("status"), "a b c");
  EXPECT_EQ(query.page().limit, 7u);
  EXPECT_EQ(pointers(), "");
}

TEST_F(query_reader_test, pages_by_fifty_from_the_start) {
  auto page = read("/v1/users").page();
  EXPECT_EQ(page.limit, 50u);
  EXPECT_EQ(page.after, "");
}

TEST_F(query_reader_test, refuses_what_it_does_not_know) {
  read("/v1/users?colour=1&limit=1&limit=2&status=%zz");
  EXPECT_EQ(pointers(), "colour limit status ");
}

TEST_F(query_reader_test, refuses_what_has_no_name) {
  for (auto bad : {"?=1", "?=", "?limit=1&=", "?%=1", "?limit=%4"}) {
    read(std::string{"/v1/users"} + bad);
    EXPECT_EQ(errors_.size(), 1u) << bad;
  }
  read("/v1/users?");
  EXPECT_EQ(pointers(), "");
}

TEST_F(query_reader_test, does_not_count_errors_without_end) {
  std::string target = "/v1/users?";
  for (int i = 0; i < 5'000; ++i)
    target += "a&";
  read(target);
  EXPECT_EQ(errors_.size(), 20u);
}

TEST_F(query_reader_test, bounds_the_limit) {
  for (auto bad : {"0", "201", "-1", "", "1x", "99999999999999999999", "1.5", "2e99"}) {
    read(std::string{"/v1/users?limit="} + bad).page();
    EXPECT_EQ(pointers(), "limit ") << bad;
  }
  EXPECT_EQ(read("/v1/users?limit=200").page().limit, 200u);
  EXPECT_EQ(read("/v1/users?limit=20.0").page().limit, 20u);
  EXPECT_EQ(pointers(), "");
}

TEST_F(query_reader_test, a_cursor_is_good_for_its_list_and_filter_alone) {
  auto cursor = make_cursor("k", read("/v1/users?status=X&limit=3").identity());
  EXPECT_EQ(read("/v1/users/?limit=9&status=X&cursor=" + cursor).page().after, "k");
  read("/v1/users?status=Y&cursor=" + cursor).page();
  EXPECT_EQ(pointers(), "cursor ");
  read("/v1/topics?status=X&cursor=" + cursor).page();
  EXPECT_EQ(pointers(), "cursor ");
}

} // namespace

} // namespace signalbox::http
