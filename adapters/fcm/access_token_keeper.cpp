#include "adapters/fcm/access_token_keeper.hpp"

#include "actors/fcm_reactions.hpp"
#include "adapters/fcm/json_fields.hpp"
#include "adapters/fcm/service_account.hpp"
#include "adapters/fcm/token_exchange.hpp"
#include "adapters/http2/client_context.hpp"
#include "adapters/http2/plain_text.hpp"
#include "adapters/io/event_loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace signalbox {

namespace asio = boost::asio;

namespace {

using clock = access_token::clock;

std::chrono::sys_seconds wall_time() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

// However long one is said to live: what comes of it has to fit the clock.
constexpr std::chrono::seconds longest_life{24 * 60 * 60};

// However long an endpoint asks to be left alone.
constexpr std::chrono::seconds longest_wait{5 * 60};

struct grant {
  std::string token;
  std::chrono::seconds life{0};
};

// RFC 6749, section 5.1.
std::optional<grant> read_grant(const std::string& body) {
  const auto parsed = parse_json_object(body);
  if (!parsed)
    return std::nullopt;
  grant result{std::string{text_of(*parsed, "access_token")}, {}};
  if (const auto* life = parsed->if_contains("expires_in"); life && life->is_int64())
    result.life = std::min(std::chrono::seconds{life->get_int64()}, longest_life);
  if (result.token.empty() || result.life.count() <= 0)
    return std::nullopt;
  return result;
}

// RFC 6749, section 5.2.
std::string read_refusal(const token_answer& from) {
  const auto parsed = parse_json_object(from.body);
  std::string text = "status " + std::to_string(from.status);
  if (parsed)
    for (const auto* name : {"error", "error_description"})
      if (const auto detail = text_of(*parsed, name); !detail.empty())
        text.append(", ").append(plain_text(detail));
  return text;
}

bool is_refusal(std::uint16_t status) {
  return status >= 400 && status < 500 && status != 408 && status != 429;
}

} // namespace

class access_token_keeper::core {
public:
  explicit core(access_token_options options)
    : options_{std::move(options)}, context_{make_client_context(options_.ca_file)} {
    prepare_loop(io_);
    thread_ = std::thread{[this] { run_loop(io_, "fcm-oauth"); }};
  }

  ~core() {
    for (const auto& [file, known] : accounts_)
      known->token->on_refused(nullptr);
    io_.stop();
    thread_.join();
  }

  std::shared_ptr<access_token> token_for(const std::filesystem::path& file) {
    std::lock_guard lock{mutex_};
    auto& known = accounts_[file];
    if (known)
      return known->token;
    known = std::make_unique<account>(io_, file, options_.retry);
    auto& fresh = *known;
    read_file(fresh);
    fresh.token->on_refused([this, &fresh](unsigned in_a_row) {
      asio::post(io_, [this, &fresh, in_a_row] { fetch_soon(fresh, in_a_row); });
    });
    asio::post(io_, [this, &fresh] { fetch(fresh); });
    return fresh.token;
  }

  void reload(std::function<void()> done) {
    asio::post(io_, [this, done = std::move(done)]() mutable {
      const auto all = all_accounts();
      if (all.empty())
        return done();
      const auto waiting = std::make_shared<reloading>(reloading{all.size(), std::move(done)});
      for (auto* each : all) {
        each->key.reset();
        each->reloads.push_back(waiting);
        if (!each->exchange)
          fetch(*each);
        else
          each->fetch_again = true;
      }
    });
  }

private:
  struct reloading {
    std::size_t left; ///< accounts
    std::function<void()> done;
  };

  // Touched on the keeper's thread, but for the token.
  struct account {
    account(asio::io_context& io, std::filesystem::path file, backoff_range retry)
      : file{std::move(file)}, token{std::make_shared<access_token>(this->file.string())},
        timer{io}, retry{retry} {}

    const std::filesystem::path file;
    const std::shared_ptr<access_token> token;
    std::optional<service_account> key;
    asio::steady_timer timer;
    backoff retry;
    std::unique_ptr<token_exchange> exchange;
    clock::time_point last_success{};
    bool fetch_again = false;
    std::vector<std::shared_ptr<reloading>> reloads;
  };

  std::vector<account*> all_accounts() {
    std::lock_guard lock{mutex_};
    std::vector<account*> all;
    for (const auto& [file, known] : accounts_)
      all.push_back(known.get());
    return all;
  }

  static void fail(account& of, bool refused, const std::string& error) {
    of.token->fail(std::string{refused ? fcm_no_credentials : fcm_no_access_token}, error);
    spdlog::warn("event=no_access_token account={} refused={} error={:?}", of.file.string(),
                 refused, error);
  }

  static void read_file(account& of) {
    auto read = read_service_account(of.file);
    if (read.ok())
      of.key = std::move(read.value);
    else
      fail(of, true, read.message);
  }

  void fetch_at(account& of, clock::time_point at) {
    of.timer.expires_at(at);
    of.timer.async_wait([this, &of](boost::system::error_code error) {
      if (!error)
        fetch(of);
    });
  }

  // The first is replaced at once, and the more of them are refused in a row, the later.
  void fetch_soon(account& of, unsigned in_a_row) {
    if (of.exchange)
      return;
    clock::duration wait{0};
    if (in_a_row > 1)
      wait = std::min<clock::duration>(
        options_.least_interval, std::chrono::seconds{1} * (1u << std::min(in_a_row - 2, 16u)));
    fetch_at(of, of.last_success + wait);
  }

  void fetch(account& of) {
    try {
      begin_exchange(of);
    } catch (const std::exception& error) {
      of.exchange.reset();
      fail(of, false, error.what());
      end(of, of.retry.next());
    }
  }

  void begin_exchange(account& of) {
    if (of.exchange)
      return;
    of.timer.cancel();
    if (!of.key)
      read_file(of);
    if (!of.key)
      return end(of, options_.retry.most);
    const auto assertion = sign_assertion(*of.key, wall_time());
    if (!assertion.ok()) {
      fail(of, true, assertion.message);
      return end(of, options_.retry.most);
    }
    const auto& at = of.key->token_endpoint;
    client_options connection;
    connection.server = {at.host, at.port};
    connection.proxy = options_.proxy.for_host(at.host);
    connection.dest = {default_app, platform::fcm, environment::production};
    connection.board = options_.board;
    connection.max_streams = 1;
    connection.connect_timeout = options_.timeout;
    connection.request_timeout = options_.timeout;
    of.exchange = std::make_unique<token_exchange>(
      io_.get_executor(), context_, std::move(connection), at.path,
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" +
        assertion.value,
      [this, &of](token_answer answer) {
        asio::post(io_, [this, &of, answer = std::move(answer)] { take(of, answer); });
      });
  }

  void take(account& of, const token_answer& from) {
    of.exchange.reset();
    const auto granted = from.status == 200 ? read_grant(from.body) : std::nullopt;
    if (granted) {
      const auto now = clock::now();
      of.token->put(
        {"Bearer " + granted->token, "/v1/projects/" + of.key->project + "/messages:send"},
        now + granted->life);
      of.last_success = now;
      of.retry.reset();
      if (options_.on_renewed)
        options_.on_renewed(of.file);
      return end(of, refreshed_after(granted->life, options_.refresh_before));
    }
    const bool refused = is_refusal(from.status);
    const auto error =
      of.key->token_uri + ": " + (from.status == 0 ? from.error : read_refusal(from));
    fail(of, refused, error);
    of.key.reset(); // by then the file may be another
    const auto wished = std::min(std::chrono::seconds{from.retry_after_s}, longest_wait);
    end(of, std::max<clock::duration>(of.retry.next(), wished));
  }

  void end(account& of, clock::duration next) {
    if (std::exchange(of.fetch_again, false))
      return fetch(of);
    for (const auto& each : std::exchange(of.reloads, {}))
      if (--each->left == 0)
        each->done();
    fetch_at(of, clock::now() + next);
  }

  const access_token_options options_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> running_{io_.get_executor()};
  asio::ssl::context context_;
  std::mutex mutex_;
  std::map<std::filesystem::path, std::unique_ptr<account>> accounts_;
  std::thread thread_;
};

std::chrono::nanoseconds refreshed_after(std::chrono::seconds life,
                                         std::chrono::seconds before_end) {
  const std::chrono::nanoseconds whole = life;
  return whole - std::min<std::chrono::nanoseconds>(before_end, whole / 4);
}

access_token_keeper::access_token_keeper(access_token_options options)
  : core_{std::make_unique<core>(std::move(options))} {}

access_token_keeper::~access_token_keeper() = default;

std::shared_ptr<access_token>
access_token_keeper::token_for(const std::filesystem::path& service_account_file) {
  return core_->token_for(service_account_file);
}

void access_token_keeper::reload(std::function<void()> done) {
  core_->reload(std::move(done));
}

} // namespace signalbox
