#include "adapters/fcm/access_token.hpp"

#include "actors/fcm_reactions.hpp"

#include <utility>

namespace signalbox {

namespace {

// A token that is refused again within this time was not refused for its age.
constexpr std::chrono::minutes short_time{10};

} // namespace

access_token::credentials_ptr access_token::current(clock::time_point now) const {
  std::lock_guard lock{mutex_};
  return now < expires_at_ ? current_ : nullptr;
}

std::string access_token::obstacle() const {
  std::lock_guard lock{mutex_};
  return obstacle_.empty() ? std::string{fcm_no_access_token} : obstacle_;
}

bool access_token::report_refused(std::uint32_t serial, clock::time_point now) {
  std::lock_guard lock{mutex_};
  if (serial != last_serial_)
    return false;
  if (!std::exchange(refused_, true)) {
    account_refused_ = replaces_refused_ && now < fetched_at_ + short_time;
    if (!account_refused_)
      expires_at_ = now;
    if (wake_)
      wake_(account_refused_);
  }
  return account_refused_;
}

std::string access_token::last_error() const {
  std::lock_guard lock{mutex_};
  return error_;
}

void access_token::put(fcm_credentials fresh, clock::time_point now, clock::time_point expires_at) {
  std::lock_guard lock{mutex_};
  fresh.serial = ++last_serial_;
  current_ = std::make_shared<const fcm_credentials>(std::move(fresh));
  fetched_at_ = now;
  expires_at_ = expires_at;
  replaces_refused_ = std::exchange(refused_, false);
  account_refused_ = false;
  obstacle_.clear();
  error_.clear();
}

void access_token::fail(std::string obstacle, std::string error) {
  std::lock_guard lock{mutex_};
  obstacle_ = std::move(obstacle);
  error_ = std::move(error);
}

void access_token::on_refused(std::function<void(bool again)> wake) {
  std::lock_guard lock{mutex_};
  wake_ = std::move(wake);
}

} // namespace signalbox
