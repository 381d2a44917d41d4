#include "adapters/http/host_rule.hpp"

#include "adapters/http/problem.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace signalbox::http {

namespace {

/// So that a long Host is not sent back whole.
constexpr std::size_t max_shown = 255;

/// What may follow a host: nothing, or a colon with or without a port.
bool is_port(std::string_view text) {
  if (text.size() < 2)
    return text.empty() || text == ":";
  unsigned number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 1, end, number);
  return error == std::errc{} && stop == end && number > 0 && number <= 65'535;
}

/// Of a registered name (RFC 3986, section 3.2.2), without its escapes, which no name of DNS needs.
bool is_name_character(char c) {
  constexpr std::string_view others = "-._~!$&'()*+,;=";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         others.find(c) != others.npos;
}

std::optional<response> refuse_authority(std::string_view authority,
                                         const std::vector<std::string>& names) {
  const auto host = parse_authority(authority);
  if (!host)
    return problem(400, "Host must be a name or an address, with or without a port.");
  if (host->is_address || host->name == "localhost" ||
      std::find(names.begin(), names.end(), host->name) != names.end())
    return std::nullopt;
  return problem(421, "This node does not answer for the host \"" +
                        host->name.substr(0, max_shown) +
                        "\". Use its address or localhost, or list the name in the setting "
                        "http.hosts.");
}

} // namespace

std::optional<authority_host> parse_authority(std::string_view authority) {
  // Boost's parser of authorities takes 127.0.0.1.example for an address with a rest.
  const bool is_bracketed = authority.substr(0, 1) == "[";
  const auto host_end = is_bracketed ? authority.find(']') + 1 : authority.find(':');
  const auto host = authority.substr(0, host_end);
  const auto port = authority.substr(host.size());
  if (host.empty() || !is_port(port))
    return std::nullopt;
  if (is_bracketed) {
    const auto inner = host.substr(1, host.size() - 2);
    const auto six = boost::urls::parse_ipv6_address({inner.data(), inner.size()});
    return six ? std::optional{authority_host{std::string{inner}, true}} : std::nullopt;
  }
  if (boost::urls::parse_ipv4_address({host.data(), host.size()}))
    return authority_host{std::string{host}, true};
  authority_host out{std::string{host}, false};
  for (auto& c : out.name) {
    if (!is_name_character(c))
      return std::nullopt;
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  }
  if (out.name.back() == '.')
    out.name.pop_back();
  return out.name.empty() ? std::nullopt : std::optional{std::move(out)};
}

std::optional<response> refuse_host(const request& head, const std::vector<std::string>& names) {
  // A client of HTTP/1.0 need not name a host, and no browser is one.
  if (head.count(field::host) > 0)
    if (auto wrong = refuse_authority(head.header(field::host), names))
      return wrong;
  if (!head.authority().empty())
    return refuse_authority(head.authority(), names);
  return std::nullopt;
}

bool is_cross_origin(const request& head) {
  if (head.method == verb::get || head.method == verb::head)
    return false;
  const auto site = head.header("Sec-Fetch-Site");
  if (!site.empty() && site != "same-origin" && site != "none")
    return true;
  const auto origin = head.header(field::origin);
  if (origin.empty())
    return false;
  const auto scheme_end = origin.find("://");
  const auto host = head.header(field::host);
  return scheme_end == origin.npos ||
         !boost::beast::iequals({origin.data() + scheme_end + 3, origin.size() - scheme_end - 3},
                                {host.data(), host.size()});
}

} // namespace signalbox::http
