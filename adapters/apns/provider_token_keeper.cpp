#include "adapters/apns/provider_token_keeper.hpp"

#include "adapters/io/thread_error.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <set>
#include <string>

namespace signalbox {

namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 15s;

} // namespace

token_time provider_token_keeper::system_time() {
  return {std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()),
          boot_clock::now()};
}

provider_token_keeper::provider_token_keeper(provider_token_policy policy, renewal_sink on_renewed,
                                             clock now)
  : policy_{policy}, on_renewed_{std::move(on_renewed)}, now_{std::move(now)},
    thread_{[this](const std::stop_token& stop) { run(stop); }} {}

std::shared_ptr<provider_token> provider_token_keeper::token_for(const provider_key& key,
                                                                 environment env) {
  std::lock_guard lock{mutex_};
  auto& known = tokens_[{key, env}];
  if (auto token = known.lock())
    return token;
  auto token = std::make_shared<provider_token>(key, policy_);
  token->refresh(now_());
  token->on_request([signal = signal_] {
    std::lock_guard lock{signal->mutex};
    signal->raised = true;
    signal->changed.notify_one();
  });
  known = token;
  return token;
}

void provider_token_keeper::reload(std::function<void()> done) {
  std::lock_guard lock{signal_->mutex};
  signal_->reloads.push_back(std::move(done));
  signal_->raised = true;
  signal_->changed.notify_one();
}

std::vector<std::pair<provider_token_keeper::place, std::shared_ptr<provider_token>>>
provider_token_keeper::live_tokens() {
  std::lock_guard lock{mutex_};
  std::vector<std::pair<place, std::shared_ptr<provider_token>>> live;
  for (auto at = tokens_.begin(); at != tokens_.end();) {
    if (auto token = at->second.lock()) {
      live.emplace_back(at->first, std::move(token));
      ++at;
    } else {
      at = tokens_.erase(at);
    }
  }
  return live;
}

std::string provider_token_keeper::refresh(const place& at, provider_token& token) {
  const auto before = token.current();
  auto error = token.refresh(now_());
  if (on_renewed_ && token.current() != before)
    on_renewed_(at.first, at.second);
  return error;
}

void provider_token_keeper::run(const std::stop_token& stop) {
  std::vector<std::function<void()>> reloads;
  while (!stop.stop_requested()) {
    std::set<std::string> errors; // a key has a token for each environment
    try {
      for (const auto& [at, token] : live_tokens()) {
        if (!reloads.empty())
          token->reload();
        errors.insert(refresh(at, *token));
      }
      errors.erase("");
      for (const auto& error : errors)
        spdlog::error("event=provider_token_failed error={:?}", error);
      for (const auto& done : std::exchange(reloads, {}))
        done();
    } catch (const std::exception& error) {
      log_thread_error("apns-token", error); // looked at again in a while
    }
    std::unique_lock lock{signal_->mutex};
    signal_->changed.wait_for(lock, stop, look_every, [this] { return signal_->raised; });
    signal_->raised = false;
    reloads = std::exchange(signal_->reloads, {});
  }
}

} // namespace signalbox
