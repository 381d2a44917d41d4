#include "adapters/http2/proxy_settings.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace signalbox;

namespace {

http_proxy proxy_of(std::string_view text) {
  const auto settings = parse_proxy_settings(text, "");
  EXPECT_TRUE(settings.ok()) << settings.message;
  return settings.value.proxy.value_or(http_proxy{});
}

TEST(proxy_settings, forms_of_https_proxy) {
  EXPECT_EQ(proxy_of("http://proxy.example:3128").at.host, "proxy.example");
  EXPECT_EQ(proxy_of("http://proxy.example:3128").at.port, "3128");
  EXPECT_EQ(proxy_of("proxy.example").at.port, "80");
  EXPECT_EQ(proxy_of(" HTTP://10.0.0.1:8080/ ").at.host, "10.0.0.1");
  EXPECT_EQ(proxy_of("http://[::1]:8080").at.host, "::1");
  EXPECT_EQ(proxy_of("http://[::1]:8080").at.port, "8080");
  EXPECT_EQ(proxy_of("http://[::1]").at.port, "80");
}

TEST(proxy_settings, credentials_become_basic_authentication) {
  EXPECT_EQ(proxy_of("http://user:pass@proxy:1").authorization, "Basic dXNlcjpwYXNz");
  EXPECT_EQ(proxy_of("http://user:p%40ss@proxy:1").authorization, "Basic dXNlcjpwQHNz");
  EXPECT_EQ(proxy_of("http://user@proxy:1").authorization, "Basic dXNlcjo=");
  EXPECT_EQ(proxy_of("http://proxy:1").authorization, "");
}

TEST(proxy_settings, nothing_means_no_proxy) {
  const auto settings = parse_proxy_settings("", "example.com");
  ASSERT_TRUE(settings.ok());
  EXPECT_FALSE(settings.value.for_host("api.push.apple.com"));
}

TEST(proxy_settings, mistakes_are_named_without_the_password) {
  for (const std::string text :
       {"https://user:secret@proxy:1", "http://user:secret@", "http://user:secret@proxy:99999",
        "http://user:secret@proxy:x", "http://user:secret%4@proxy", "http://user:secret@[::1"}) {
    const auto settings = parse_proxy_settings(text, "");
    EXPECT_EQ(settings.code, errc::invalid) << text;
    EXPECT_TRUE(settings.message.starts_with("HTTPS_PROXY: ")) << settings.message;
    EXPECT_EQ(settings.message.find("secret"), std::string::npos) << settings.message;
  }
}

TEST(proxy_settings, no_proxy_covers_a_host_and_what_is_below) {
  const auto settings =
    parse_proxy_settings("http://proxy:1", "localhost, .internal.example,*.Apple.com,10.0.0.1");
  ASSERT_TRUE(settings.ok());
  for (const auto* direct : {"localhost", "internal.example", "a.internal.example",
                             "push.apple.com", "API.PUSH.APPLE.COM", "10.0.0.1"})
    EXPECT_FALSE(settings.value.for_host(direct)) << direct;
  for (const auto* proxied : {"example", "notinternal.example", "apple.com.evil", "10.0.0.10"})
    EXPECT_TRUE(settings.value.for_host(proxied)) << proxied;
}

TEST(proxy_settings, a_star_means_everything) {
  EXPECT_FALSE(parse_proxy_settings("http://proxy:1", "*").value.for_host("anything"));
}

} // namespace
