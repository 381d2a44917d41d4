#include "runtime/settings_rules.hpp"

#include "adapters/http2/proxy_settings.hpp"
#include "runtime/setting_range.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <iterator>
#include <string_view>
#include <utility>

namespace signalbox {

namespace {

using std::chrono::milliseconds;

class rules {
public:
  std::vector<broken_rule> take() { return std::move(broken_); }

  void require(bool kept, std::string key, std::string text) {
    if (!kept)
      broken_.push_back({std::move(key), std::move(text)});
  }

  /// `group` ends in a dot.
  void ordered(const std::string& group, const std::string& low_name, milliseconds low,
               const std::string& high_name, milliseconds high) {
    require(low <= high, group + low_name,
            to_config_text(low) + " is longer than " + group + high_name + ", which is " +
              to_config_text(high));
  }

private:
  std::vector<broken_rule> broken_;
};

void check_address(const std::string& text, rules& result) {
  in_addr four{};
  in6_addr six{};
  const bool is_four = inet_pton(AF_INET, text.c_str(), &four) == 1;
  const bool is_six = inet_pton(AF_INET6, text.c_str(), &six) == 1;
  if (!is_four && !is_six)
    return result.require(false, "http.address", "expected an IPv4 or IPv6 address");
  constexpr unsigned char loopback_net = 127;
  const bool loopback = is_four ? *reinterpret_cast<const unsigned char*>(&four) == loopback_net
                                : IN6_IS_ADDR_LOOPBACK(&six) ||
                                    (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == loopback_net);
  result.require(
    loopback, "http.address",
    "expected a loopback address: there are no API keys yet, so whoever reaches another "
    "one could send; put a proxy that authenticates in front");
}

void check_hosts(const std::vector<std::string>& hosts, rules& result) {
  const auto is_part = [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c)) || c == '.' || c == '-' || c == '_';
  };
  for (const auto& name : hosts)
    result.require(std::all_of(name.begin(), name.end(), is_part), "http.hosts",
                   "expected names of hosts, without scheme, port or wildcard, found " +
                     to_config_text(name));
}

bool is_bundle(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c)) || c == '.' || c == '-' || c == '_';
  });
}

bool is_host_name(const std::string& text) {
  in6_addr six{};
  return inet_pton(AF_INET6, text.c_str(), &six) == 1 ||
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '-'; });
}

bool is_apple_id(std::string_view text) {
  constexpr std::size_t length = 10;
  return text.size() == length &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c); });
}

bool is_proxy(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  if (!text.starts_with(scheme))
    return false;
  text.remove_prefix(scheme.size());
  auto colon = text.rfind(':');
  return colon != std::string_view::npos && colon > 0 && colon + 1 < text.size() &&
         text.find_first_not_of("0123456789", colon + 1) == std::string_view::npos &&
         text.find_first_of("/@ ") == std::string_view::npos && parse_proxy_settings(text, "").ok();
}

void check_apns(const node_settings::apns_group& apns, rules& result) {
  struct member {
    const char* name;
    bool set;
  };
  const member members[] = {{"apns.bundle", !apns.bundle.empty()},
                            {"apns.key-file", !apns.key_file.empty()},
                            {"apns.key-id", !apns.key_id.empty()},
                            {"apns.team-id", !apns.team_id.empty()}};
  auto any = std::any_of(std::begin(members), std::end(members), [](auto& x) { return x.set; });
  for (auto& [name, set] : members)
    result.require(set || !any, name,
                   "missing: bundle, key-file, key-id and team-id are set together or not at all");
  result.require(is_bundle(apns.bundle), "apns.bundle",
                 "expected letters, digits, dots, dashes and underscores");
  auto id = "expected 10 letters and digits";
  result.require(apns.key_id.empty() || is_apple_id(apns.key_id), "apns.key-id", id);
  result.require(apns.team_id.empty() || is_apple_id(apns.team_id), "apns.team-id", id);
  auto host = "expected a host name or an address, without scheme or port";
  result.require(is_host_name(apns.production_host), "apns.production-host", host);
  result.require(is_host_name(apns.sandbox_host), "apns.sandbox-host", host);
  result.require(apns.channels_host.empty() || is_host_name(apns.channels_host),
                 "apns.channels-host", host);
  result.require(apns.channels_sandbox_host.empty() || is_host_name(apns.channels_sandbox_host),
                 "apns.channels-sandbox-host", host);
  // The value is not shown: what is wrong with it may be that it holds a password.
  result.require(apns.proxy.empty() || is_proxy(apns.proxy), "apns.proxy",
                 "expected http://host:port; a proxy with a password is set by HTTPS_PROXY");
  result.ordered("apns.", "reconnect-min", apns.reconnect_min, "reconnect-max", apns.reconnect_max);
}

void check_fcm(const node_settings::fcm_group& fcm, rules& result) {
  result.require(is_host_name(fcm.host), "fcm.host",
                 "expected a host name or an address, without scheme or port");
  result.require(fcm.proxy.empty() || is_proxy(fcm.proxy), "fcm.proxy",
                 "expected http://host:port; a proxy with a password is set by HTTPS_PROXY");
  result.require(std::all_of(fcm.job_marker.begin(), fcm.job_marker.end(),
                             [](unsigned char c) { return std::isalnum(c) || c == '_'; }) &&
                   !fcm.job_marker.starts_with("google") && !fcm.job_marker.starts_with("gcm") &&
                   fcm.job_marker != "from" && fcm.job_marker != "message_type",
                 "fcm.job-marker", "expected letters, digits and _, and no name that FCM reserves");
  result.ordered("fcm.", "reconnect-min", fcm.reconnect_min, "reconnect-max", fcm.reconnect_max);
}

/// Every lane has senders of both providers, as far as they are configured.
std::pair<const char*, milliseconds> longest_request(const node_settings& settings) {
  const auto apns = settings.apns.request_timeout;
  const auto fcm = settings.fcm.request_timeout;
  if (fcm > apns && !settings.fcm.service_account_file.empty())
    return {"fcm.request-timeout", fcm};
  return {"apns.request-timeout", apns};
}

void check_lane(const lane_settings& lane, const node_settings& settings, rules& result) {
  auto group = "lane." + lane.name + ".";
  result.ordered(group, "backoff-min", lane.backoff_min, "backoff-max", lane.backoff_max);
  const auto [name, longest] = longest_request(settings);
  auto busy = longest + lane.flush_interval;
  result.require(busy < lane.lease, group + "lease",
                 to_config_text(lane.lease) + " must be longer than " + name + " and " + group +
                   "flush-interval together, which are " + to_config_text(milliseconds{busy}));
  for (auto& built_in : node_settings::built_in_lanes())
    result.require(lane.name != built_in.name || lane.kind == built_in.kind, group + "kind",
                   "the kind of this lane is fixed; give other work a lane of its own name");
}

} // namespace

std::vector<broken_rule> check_rules(const node_settings& settings) {
  rules result;
  auto& http = settings.http;
  check_address(http.address, result);
  check_hosts(http.hosts, result);
  result.require(http.max_body_bytes <= http.max_batch_body_bytes, "http.max-batch-body",
                 "smaller than http.max-body, which is " + std::to_string(http.max_body_bytes));
  check_apns(settings.apns, result);
  check_fcm(settings.fcm, result);
  for (auto& lane : settings.lanes)
    check_lane(lane, settings, result);
  auto& supervisor = settings.supervisor;
  result.ordered("supervisor.", "restart-min", supervisor.restart_min, "restart-max",
                 supervisor.restart_max);
  result.ordered("retention.", "jobs", settings.retention.jobs, "failures",
                 settings.retention.failures);
  return result.take();
}

} // namespace signalbox
