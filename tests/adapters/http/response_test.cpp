#include "adapters/http/response.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace signalbox::http {

namespace {

std::string serialized(const response& answer, const framing& frame = {}) {
  std::string out;
  serialize(answer, frame, "D", out);
  return out;
}

TEST(response_test, has_status_date_type_fields_and_length) {
  EXPECT_EQ(serialized({.status = 202, .body = "{}", .headers = {{"Retry-After", "1"}}}),
            "HTTP/1.1 202 Accepted\r\nDate: D\r\nContent-Type: application/json\r\n"
            "Retry-After: 1\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(response_test, head_keeps_the_length_without_the_body) {
  EXPECT_EQ(serialized({.body = "12345"}, {.head = true}),
            "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: application/json\r\n"
            "Content-Length: 5\r\n\r\n");
}

TEST(response_test, no_content_has_neither_body_nor_length) {
  EXPECT_EQ(serialized({.status = 204, .content_type = {}}),
            "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n");
}

TEST(response_test, says_how_the_connection_goes_on) {
  EXPECT_NE(serialized({}, {.keep_alive = false}).find("Connection: close\r\n"), std::string::npos);
  EXPECT_NE(serialized({}, {.http_1_0 = true}).find("Connection: keep-alive\r\n"),
            std::string::npos);
}

TEST(response_test, dates_are_imf_fixdates) {
  EXPECT_EQ(format_http_date(std::chrono::system_clock::from_time_t(784111777)),
            "Sun, 06 Nov 1994 08:49:37 GMT");
}

} // namespace

} // namespace signalbox::http
