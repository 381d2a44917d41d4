#pragma once

#include "adapters/apns/provider_token.hpp"
#include "messages/destination.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace signalbox {

/// Keeps the provider tokens of a node fresh, on one thread of its own: single flight per (team,
/// key, environment), since everybody who asks for the same one shares it. Thread-safe.
class provider_token_keeper {
public:
  /// Told, on the keeper's thread, of each token that took the place of another one.
  using renewal_sink = std::function<void(const provider_key& key, environment env)>;
  using clock = std::function<token_time()>;

  static token_time system_time(); ///< now, by the machine's clocks

  explicit provider_token_keeper(provider_token_policy policy = {}, renewal_sink on_renewed = {},
                                 clock now = system_time);

  provider_token_keeper(const provider_token_keeper&) = delete;
  provider_token_keeper& operator=(const provider_token_keeper&) = delete;

  /// The token of this key and environment. The first call for one reads the key file and signs, on
  /// the caller's thread; a failure is told by `last_error`, and tried again and logged every few
  /// seconds. What nobody holds any more is forgotten.
  std::shared_ptr<provider_token> token_for(const provider_key& key, environment env);

  /// Reads all key files again, so that rotated keys take effect. Returns at once; `done` is called
  /// on the keeper's thread when every token is the one to use, unless the keeper goes before.
  void reload(std::function<void()> done);

private:
  // Outlives the keeper as long as a token may ask for a refresh.
  struct wake_signal {
    std::mutex mutex;
    std::condition_variable_any changed;
    bool raised = false;
    std::vector<std::function<void()>> reloads; ///< to be told of
  };

  using place = std::pair<provider_key, environment>;

  void run(const std::stop_token& stop);
  std::string refresh(const place& at, provider_token& token);
  std::vector<std::pair<place, std::shared_ptr<provider_token>>> live_tokens();

  const provider_token_policy policy_;
  const renewal_sink on_renewed_;
  const clock now_;
  std::mutex mutex_;
  std::map<place, std::weak_ptr<provider_token>> tokens_;
  const std::shared_ptr<wake_signal> signal_ = std::make_shared<wake_signal>();
  std::jthread thread_;
};

} // namespace signalbox
