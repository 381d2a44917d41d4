#include "runtime/providers.hpp"

#include "actors/apns_verdict.hpp"
#include "actors/fcm_reactions.hpp"
#include "adapters/apns/activity_render.hpp"
#include "adapters/apns/render.hpp"
#include "adapters/fcm/render.hpp"
#include "adapters/fcm/transport.hpp"
#include "adapters/http2/proxy_settings.hpp"
#include "adapters/payload/push_content.hpp"
#include "runtime/unconfigured_transport.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace signalbox {

namespace {

result<proxy_settings> proxies_of(const std::string& configured) {
  return configured.empty() ? proxy_settings_from_environment()
                            : parse_proxy_settings(configured, "");
}

template <class Group>
void set_delivery(delivery_options& options, const Group& settings) {
  options.proxy = proxies_of(settings.proxy).value;
  options.ca_file = settings.ca_file.string();
  options.connections = settings.connections;
  options.max_streams = settings.max_streams;
  options.request_timeout = settings.request_timeout;
  options.connect_timeout = settings.connect_timeout;
  options.ping_interval = settings.ping_interval;
  options.reconnect = {settings.reconnect_min, settings.reconnect_max};
}

apns_transport_options transport_options(const node_settings::apns_group& settings) {
  apns_transport_options options;
  set_delivery(options, settings);
  options.production = {settings.production_host, std::to_string(settings.production_port)};
  options.sandbox = {settings.sandbox_host, std::to_string(settings.sandbox_port)};
  return options;
}

/// Whoever sends to something else than Apple has the channels there, too, unless told otherwise.
network_host channel_host(const std::string& host, std::uint16_t port, const network_host& sends_to,
                          const network_host& apple_sends, network_host apple) {
  if (host.empty())
    return sends_to.host == apple_sends.host ? apple : sends_to;
  return {host, port == 0 ? apple.port : std::to_string(port)};
}

apns_channel_options channel_options(const node_settings::apns_group& settings) {
  const auto senders = transport_options(settings);
  const apns_transport_options apple;
  apns_channel_options options;
  options.production = channel_host(settings.channels_host, settings.channels_port,
                                    senders.production, apple.production, options.production);
  options.sandbox = channel_host(settings.channels_sandbox_host, settings.channels_sandbox_port,
                                 senders.sandbox, apple.sandbox, options.sandbox);
  options.ca_file = senders.ca_file;
  options.request_timeout = senders.request_timeout;
  options.connect_timeout = senders.connect_timeout;
  options.proxy = senders.proxy;
  return options;
}

fcm_transport_options transport_options(const node_settings::fcm_group& settings) {
  fcm_transport_options options;
  set_delivery(options, settings);
  options.server = {settings.host, std::to_string(settings.port)};
  options.job_marker = settings.job_marker;
  return options;
}

} // namespace

std::string providers::start() {
  auto error = start_apns();
  if (error.empty())
    error = start_channels();
  return error.empty() ? start_fcm() : error;
}

std::string providers::start_channels() {
  try {
    auto options = channel_options(settings_.apns);
    options.board = &connections_;
    channels_ = std::make_unique<apns_channel_client>(std::move(options));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  if (apns_app_.production)
    channels_->set_app(default_app, apns_app_);
  return {};
}

std::string providers::start_apns() {
  const auto& apns = settings_.apns;
  if (apns.key_file.empty()) {
    spdlog::warn("event=apns_not_configured text=\"pushes to APNs devices will be rejected\"");
    return {};
  }
  if (const auto proxies = proxies_of(apns.proxy); !proxies.ok())
    return proxies.message;
  const auto refresh = std::chrono::duration_cast<std::chrono::minutes>(apns.token_refresh);
  apns_tokens_ = std::make_unique<provider_token_keeper>(
    provider_token_policy{refresh, std::chrono::minutes{20}},
    [told = on_renewed_](const provider_key&, environment env) {
      told({default_app, platform::apns, env});
    });
  const provider_key key{apns.team_id, apns.key_id, apns.key_file};
  apns_app_ = {apns.bundle, apns_tokens_->token_for(key, environment::production),
               apns_tokens_->token_for(key, environment::sandbox)};
  return apns_app_.production->last_error();
}

std::string providers::start_fcm() {
  const auto& fcm = settings_.fcm;
  if (fcm.service_account_file.empty()) {
    spdlog::info("event=fcm_not_configured text=\"pushes to FCM devices will be rejected\"");
    return {};
  }
  auto proxies = proxies_of(fcm.proxy);
  if (!proxies.ok())
    return proxies.message;
  access_token_options options;
  options.ca_file = fcm.ca_file.string();
  options.proxy = std::move(proxies.value);
  options.board = &connections_;
  options.timeout = fcm.connect_timeout;
  options.on_renewed = [told = on_renewed_](const std::filesystem::path&) {
    told({default_app, platform::fcm, environment::production});
  };
  try {
    fcm_tokens_ = std::make_unique<access_token_keeper>(std::move(options));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  fcm_token_ = fcm_tokens_->token_for(fcm.service_account_file);
  // What goes wrong with the exchange is no reason not to start.
  return fcm_token_->obstacle() == fcm_no_credentials ? fcm_token_->last_error() : std::string{};
}

std::vector<provider_options> providers::options() const {
  const auto unconfigured = [](platform provider) {
    return provider_options{provider, [] { return std::make_shared<unconfigured_transport>(); },
                            unconfigured_transport::judge};
  };
  auto apns = unconfigured(platform::apns);
  if (apns_app_.production) {
    auto options = transport_options(settings_.apns);
    options.board = &connections_;
    apns.make_transport = [options = std::move(options), app = apns_app_] {
      auto transport = std::make_shared<apns_transport>(options);
      transport->set_app(default_app, app);
      return transport;
    };
    apns.classify = judge_apns;
  }
  auto fcm = unconfigured(platform::fcm);
  if (fcm_token_) {
    auto options = transport_options(settings_.fcm);
    options.board = &connections_;
    fcm.make_transport = [options = std::move(options), token = fcm_token_] {
      auto transport = std::make_shared<fcm_transport>(options);
      transport->set_app(default_app, token);
      return transport;
    };
    fcm.classify = judge_fcm;
  }
  return {apns, fcm};
}

std::size_t providers::streams() const {
  const auto apns = settings_.apns.connections * settings_.apns.max_streams;
  const auto fcm = settings_.fcm.connections * settings_.fcm.max_streams;
  return fcm_token_ ? std::max(apns, fcm) : apns;
}

std::optional<payload_refusal> providers::check_payload(std::string_view payload) const {
  if (auto refusal = check_payload_size(payload))
    return refusal;
  if (auto refusal = check_apns_payload(payload, settings_.apns.bundle))
    return refusal;
  return fcm_token_ ? check_fcm_payload(payload, settings_.fcm.job_marker) : std::nullopt;
}

std::optional<payload_refusal> providers::check_activity(std::string_view payload,
                                                         activity_request& request) const {
  if (auto refusal = check_payload_size(payload))
    return refusal;
  if (auto refusal = check_apns_activity(payload, request, settings_.apns.bundle))
    return refusal;
  return fcm_token_ ? check_fcm_activity(payload, request, settings_.fcm.job_marker) : std::nullopt;
}

void providers::reload(std::function<void(const destination&)> done) {
  if (apns_tokens_)
    apns_tokens_->reload([done] {
      for (const auto env : {environment::production, environment::sandbox})
        done({default_app, platform::apns, env});
    });
  if (fcm_tokens_)
    fcm_tokens_->reload([done] { done({default_app, platform::fcm, environment::production}); });
}

} // namespace signalbox
