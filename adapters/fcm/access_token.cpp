#include "adapters/fcm/access_token.hpp"

#include "actors/fcm_reactions.hpp"

#include <utility>

namespace signalbox {

namespace {

// One that was taken for longer than this was good, and is not any more: as when keys change.
constexpr std::chrono::seconds short_time{30};
// FCM may take its changes one by one, or a node be late; more than that, and it means the account.
constexpr unsigned tokens_until_the_account_is_blamed = 3;

} // namespace

access_token::credentials_ptr access_token::current(clock::time_point now) const {
  std::lock_guard lock{mutex_};
  if (now >= expires_at_)
    return nullptr;
  if (!first_used_at_)
    first_used_at_ = now;
  return current_;
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
    const bool at_once = !first_used_at_ || now < *first_used_at_ + short_time;
    refused_in_a_row_ = at_once ? refused_in_a_row_ + 1 : 1;
    if (refused_in_a_row_ < tokens_until_the_account_is_blamed)
      expires_at_ = now;
    if (wake_)
      wake_(refused_in_a_row_);
  }
  return refused_in_a_row_ >= tokens_until_the_account_is_blamed;
}

std::string access_token::last_error() const {
  std::lock_guard lock{mutex_};
  return error_;
}

void access_token::put(fcm_credentials fresh, clock::time_point expires_at) {
  std::lock_guard lock{mutex_};
  fresh.serial = ++last_serial_;
  current_ = std::make_shared<const fcm_credentials>(std::move(fresh));
  first_used_at_.reset();
  expires_at_ = expires_at;
  refused_ = false;
  obstacle_.clear();
  error_.clear();
}

void access_token::fail(std::string obstacle, std::string error) {
  std::lock_guard lock{mutex_};
  obstacle_ = std::move(obstacle);
  error_ = std::move(error);
}

void access_token::on_refused(std::function<void(unsigned in_a_row)> wake) {
  std::lock_guard lock{mutex_};
  wake_ = std::move(wake);
}

} // namespace signalbox
