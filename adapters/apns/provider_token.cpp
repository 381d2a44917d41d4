#include "adapters/apns/provider_token.hpp"

#include "adapters/io/text_file.hpp"

#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace signalbox {

namespace {

using namespace std::chrono_literals;
using text_result = result<std::string>;

constexpr auto oldest_token = 59min;
// What clocks differ by anyway.
constexpr auto clock_tolerance = 1min;

text_result read_file(const std::filesystem::path& path) {
  std::string why;
  auto text = read_text_file(path, why);
  if (!text)
    return text_result::failure(errc::invalid, path.string() + ": " + why);
  return text_result::success(std::move(*text));
}

bool is_p256_private_key(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> in{
    BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
    PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
  char group[32] = {};
  return key &&
         EVP_PKEY_get_utf8_string_param(key.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                        nullptr) == 1 &&
         std::string_view{group} == "prime256v1";
}

} // namespace

text_result sign_provider_token(const provider_key& key, const std::string& pem,
                                std::chrono::sys_seconds issued_at) {
  // libjwt 1.10 signs with whatever key it is given.
  if (!is_p256_private_key(pem))
    return text_result::failure(errc::invalid,
                                key.file.string() + ": not an EC P-256 private key in PEM");
  jwt_t* raw = nullptr;
  if (jwt_new(&raw) != 0)
    return text_result::failure(errc::internal, "libjwt: out of memory");
  const std::unique_ptr<jwt_t, decltype(&jwt_free)> token{raw, jwt_free};
  const auto* pem_bytes = reinterpret_cast<const unsigned char*>(pem.data());
  if (jwt_add_header(raw, "kid", key.key_id.c_str()) != 0 ||
      jwt_add_grant(raw, "iss", key.team.c_str()) != 0 ||
      jwt_add_grant_int(raw, "iat", issued_at.time_since_epoch().count()) != 0 ||
      jwt_set_alg(raw, JWT_ALG_ES256, pem_bytes, static_cast<int>(pem.size())) != 0)
    return text_result::failure(errc::invalid, key.file.string() + ": libjwt refused the claims");
  const std::unique_ptr<char, decltype(&std::free)> text{jwt_encode_str(raw), std::free};
  if (!text)
    return text_result::failure(errc::internal, key.file.string() + ": signing failed");
  return text_result::success(text.get());
}

provider_token::provider_token(provider_key key, provider_token_policy policy)
  : key_{std::move(key)}, policy_{policy} {}

provider_token::text_ptr provider_token::current() const {
  std::lock_guard lock{current_mutex_};
  return current_;
}

void provider_token::report_expired(const text_ptr& used) {
  if (used == current())
    ask(request::expired);
}

void provider_token::report_refused(const text_ptr& used) {
  if (used == current())
    ask(request::refused);
}

void provider_token::report_too_many_updates() {
  std::lock_guard lock{mutex_};
  too_many_updates_ = true;
}

void provider_token::reload() {
  ask(request::reload);
}

void provider_token::on_request(std::function<void()> wake) {
  std::lock_guard lock{mutex_};
  wake_ = std::move(wake);
}

std::string provider_token::last_error() const {
  std::lock_guard lock{mutex_};
  return error_;
}

void provider_token::ask(request what) {
  std::lock_guard lock{mutex_};
  if (request_ == what)
    return;
  request_ = std::max(request_, what);
  if (wake_)
    wake_();
}

bool provider_token::due_by_age(const token_time& now) const {
  const auto by_clock = now.wall - issued_at_.wall;
  const auto lived = now.boot - issued_at_.boot;
  // By a clock that was put right, or wrong, APNs does not take it: there is nothing to hold on to.
  if (by_clock < -clock_tolerance || by_clock >= oldest_token || lived >= oldest_token)
    return true;
  return (!hold_until_ || now.boot >= *hold_until_) &&
         (by_clock >= policy_.refresh_after || lived >= policy_.refresh_after);
}

bool provider_token::clock_was_set(const token_time& now) const {
  const auto step = (now.wall - issued_at_.wall) - (now.boot - issued_at_.boot);
  return step > clock_tolerance || step < -clock_tolerance;
}

bool provider_token::due_by_answer(request why, const token_time& now) const {
  if (why != request::refused && why != request::expired)
    return false;
  return clock_was_set(now) || (why == request::expired &&
                                (!forced_at_ || now.boot >= *forced_at_ + policy_.least_interval));
}

std::string provider_token::refresh(const token_time& now) {
  request why = request::none;
  {
    std::lock_guard lock{mutex_};
    why = std::exchange(request_, request::none);
    if (std::exchange(too_many_updates_, false))
      hold_until_ = now.boot + policy_.least_interval;
  }
  const bool none_yet = !current();
  const bool forced = due_by_answer(why, now);
  if (!none_yet && !forced && why != request::reload && !due_by_age(now))
    return {};
  auto pem = read_file(key_.file);
  if (!pem.ok()) {
    std::lock_guard lock{mutex_};
    return error_ = pem.message;
  }
  if (why == request::reload && pem.value == pem_ && !none_yet && !due_by_age(now))
    return {};
  return replace(std::move(pem.value), now, forced);
}

std::string provider_token::replace(std::string pem, const token_time& now, bool forced) {
  auto token = sign_provider_token(key_, pem, now.wall);
  std::lock_guard lock{mutex_};
  error_ = token.message;
  if (!token.ok())
    return error_;
  pem_ = std::move(pem);
  issued_at_ = now;
  if (forced)
    forced_at_ = now.boot;
  auto text = std::make_shared<const std::string>("bearer " + token.value);
  std::lock_guard current_lock{current_mutex_};
  current_ = std::move(text);
  return {};
}

} // namespace signalbox
