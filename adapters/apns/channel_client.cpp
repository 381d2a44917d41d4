#include "adapters/apns/channel_client.hpp"

#include "adapters/apns/channel_answer.hpp"
#include "adapters/apns/channel_link.hpp"
#include "adapters/http2/client_context.hpp"
#include "adapters/io/event_loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace signalbox {

namespace asio = boost::asio;

namespace {

constexpr std::uint16_t ok = 200;
constexpr std::uint16_t created = 201;
constexpr std::uint16_t no_content = 204;
// 10,000 channels take 300 kB with ids as long as today's.
constexpr std::size_t list_limit = 2 * 1024 * 1024;

} // namespace

class apns_channel_client::core {
public:
  explicit core(apns_channel_options options)
    : options_{std::move(options)}, context_{make_client_context(options_.ca_file)} {
    prepare_loop(io_);
    thread_ = std::thread{[this] { run_loop(io_, "apns-channels"); }};
  }

  ~core() {
    asio::post(io_, [this] {
      for (auto& [where, link] : links_)
        link->stop();
      work_.reset();
    });
    thread_.join();
  }

  void set_app(app_id app, apns_app settings) {
    std::lock_guard lock{mutex_};
    apps_[app] = std::move(settings);
  }

  /// `noun` ends the path, `call` has the rest but for the token.
  template <class T>
  void send(app_id app, environment env, std::string_view noun, std::shared_ptr<channel_call> call,
            callback<T> done, std::function<result<T>(const http2_response&)> read) {
    {
      std::lock_guard lock{mutex_};
      const auto known = apps_.find(app);
      if (known != apps_.end()) {
        const auto& settings = known->second;
        call->token = env == environment::sandbox ? settings.sandbox : settings.production;
        call->path = "/1/apps/" + settings.bundle + "/" + std::string{noun};
      }
    }
    if (!call->token)
      return done(result<T>::failure(errc::conflict, "The app has no APNs credentials."));
    call->done = [done = std::move(done), read = std::move(read), token = call->token,
                  used = call->token->current()](const http2_response& response,
                                                 const result<unit>& outcome) {
      if (!outcome.ok())
        return done(result<T>::failure(outcome.code, outcome.message));
      if (response.status == ok || response.status == created || response.status == no_content)
        return done(read(response));
      const auto reason = channel_refusal_reason(response.body);
      if (reason == "ExpiredProviderToken")
        token->report_expired(used);
      else if (reason == "InvalidProviderToken")
        token->report_refused(used);
      const auto refusal = judge_channel_refusal(response);
      done(result<T>::failure(refusal.code, refusal.message));
    };
    asio::post(io_, [this, app, env, call = std::move(call)]() mutable {
      link_to(app, env).send(std::move(call));
    });
  }

private:
  channel_link& link_to(app_id app, environment env) {
    auto& link = links_[{app, env}];
    if (!link) {
      client_options options;
      options.server = env == environment::sandbox ? options_.sandbox : options_.production;
      options.proxy = options_.proxy.for_host(options.server.host);
      options.dest = {app, platform::apns, env};
      options.board = options_.board;
      options.request_timeout = options_.request_timeout;
      options.connect_timeout = options_.connect_timeout;
      options.max_streams = 16;
      options.idle_timeout = std::chrono::minutes{1};
      options.keeps = {"apns-channel-id", list_limit};
      link = std::make_unique<channel_link>(io_.get_executor(), context_, std::move(options));
    }
    return *link;
  }

  const apns_channel_options options_;
  asio::ssl::context context_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  std::mutex mutex_;
  std::map<app_id, apns_app> apps_;
  std::map<std::pair<app_id, environment>, std::unique_ptr<channel_link>> links_;
  std::thread thread_;
};

apns_channel_client::apns_channel_client(apns_channel_options options)
  : core_{std::make_unique<core>(std::move(options))} {}

apns_channel_client::~apns_channel_client() = default;

void apns_channel_client::set_app(app_id app, apns_app settings) {
  core_->set_app(app, std::move(settings));
}

void apns_channel_client::create_channel(app_id app, environment env, message_storage storage,
                                         callback<std::string> done) {
  auto call = std::make_shared<channel_call>();
  call->method = "POST";
  call->body = std::string{R"({"message-storage-policy":)"} +
               (storage == message_storage::latest ? "1" : "0") + R"(,"push-type":"LiveActivity"})";
  core_->send<std::string>(app, env, "channels", std::move(call), std::move(done),
                           [](const http2_response& response) {
                             if (response.header.empty())
                               return result<std::string>::failure(
                                 errc::unavailable, "APNs did not name the channel that it made.");
                             return result<std::string>::success(std::string{response.header});
                           });
}

void apns_channel_client::list_channels(app_id app, environment env, page_request page,
                                        callback<page_of<std::string>> done) {
  auto call = std::make_shared<channel_call>();
  call->method = "GET";
  core_->send<page_of<std::string>>(
    app, env, "all-channels", std::move(call), std::move(done),
    [page = std::move(page)](const http2_response& response) {
      auto all = read_channel_list(response.body);
      if (!all.ok())
        return result<page_of<std::string>>::failure(all.code, std::move(all.message));
      const auto first = std::upper_bound(all.value.begin(), all.value.end(), page.after);
      const auto left = static_cast<std::size_t>(all.value.end() - first);
      const auto count = std::min(left, page.limit);
      page_of<std::string> out;
      out.items.assign(first, first + static_cast<std::ptrdiff_t>(count));
      if (count < left)
        out.next = out.items.back();
      return result<page_of<std::string>>::success(std::move(out));
    });
}

void apns_channel_client::delete_channel(app_id app, environment env, std::string channel,
                                         callback<unit> done) {
  auto call = std::make_shared<channel_call>();
  call->method = "DELETE";
  call->channel = std::move(channel);
  core_->send<unit>(app, env, "channels", std::move(call), std::move(done),
                    [](const http2_response&) { return result<unit>::success({}); });
}

} // namespace signalbox
