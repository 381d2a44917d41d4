#include "adapters/http2/proxy_settings.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace signalbox {

namespace {

using settings_result = result<proxy_settings>;

settings_result invalid(std::string_view what) {
  return settings_result::failure(errc::invalid, "HTTPS_PROXY: " + std::string{what});
}

std::string lowercase(std::string_view text) {
  std::string lower{text};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return lower;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    const auto digits = text.substr(i + 1, 2);
    const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || error != std::errc{} || end != digits.data() + 2)
      return std::nullopt;
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

std::string basic_authorization(const std::string& credentials) {
  std::string text(4 * ((credentials.size() + 2) / 3) + 1, '\0');
  const auto size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                    reinterpret_cast<const unsigned char*>(credentials.data()),
                                    static_cast<int>(credentials.size()));
  text.resize(static_cast<std::size_t>(size));
  return "Basic " + text;
}

bool is_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value >= 1 && value <= 65535;
}

// "host", "host:port", "[v6]", "[v6]:port".
std::optional<network_host> parse_host(std::string_view text) {
  network_host at{"", "80"};
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos)
      return std::nullopt;
    at.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    at.host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (!rest.empty()) {
    if (rest.front() != ':' || !is_port(rest.substr(1)))
      return std::nullopt;
    at.port = rest.substr(1);
  }
  return at.host.empty() ? std::nullopt : std::optional{std::move(at)};
}

std::vector<std::string> parse_bypass(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    auto name = trim(list.substr(0, comma));
    if (name.starts_with("*."))
      name.remove_prefix(1);
    if (name.starts_with('.'))
      name.remove_prefix(1);
    if (!name.empty())
      names.push_back(lowercase(name));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return names;
}

std::string_view variable(const char* name, const char* other_name) {
  for (const auto* one : {name, other_name})
    if (const auto* value = std::getenv(one); value != nullptr && *value != '\0')
      return value;
  return {};
}

} // namespace

std::optional<http_proxy> proxy_settings::for_host(std::string_view host) const {
  const auto name = lowercase(host);
  for (const auto& entry : bypass) {
    const bool same = name == entry || entry == "*";
    const bool below = name.size() > entry.size() && name.ends_with(entry) &&
                       name[name.size() - entry.size() - 1] == '.';
    if (same || below)
      return std::nullopt;
  }
  return proxy;
}

settings_result parse_proxy_settings(std::string_view https_proxy, std::string_view no_proxy) {
  proxy_settings settings;
  settings.bypass = parse_bypass(no_proxy);
  auto text = trim(https_proxy);
  if (text.empty())
    return settings_result::success(std::move(settings));
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
    if (lowercase(text.substr(0, scheme)) != "http")
      return invalid("only http:// proxies are supported");
    text.remove_prefix(scheme + 3);
  }
  text = text.substr(0, text.find('/'));
  http_proxy proxy;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    const auto credentials = percent_decode(text.substr(0, at));
    if (!credentials)
      return invalid("a percent sign in the user or password is not followed by two hex digits");
    proxy.authorization = basic_authorization(
      credentials->find(':') == std::string::npos ? *credentials + ":" : *credentials);
    text.remove_prefix(at + 1);
  }
  auto host = parse_host(text);
  if (!host)
    return invalid("expected [http://][user:password@]host[:port]");
  proxy.at = std::move(*host);
  settings.proxy = std::move(proxy);
  return settings_result::success(std::move(settings));
}

settings_result proxy_settings_from_environment() {
  return parse_proxy_settings(variable("HTTPS_PROXY", "https_proxy"),
                              variable("NO_PROXY", "no_proxy"));
}

} // namespace signalbox
