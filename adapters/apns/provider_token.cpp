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

bool provider_token::due_by_age(std::chrono::sys_seconds now) const {
  const auto age = now - issued_at_;
  if (age >= oldest_token)
    return true;
  // A clock that was set back leaves a token from the future, which APNs does not take.
  return now >= hold_until_ && (age >= policy_.refresh_after || age < -1min);
}

std::string provider_token::refresh(std::chrono::sys_seconds now) {
  request why = request::none;
  {
    std::lock_guard lock{mutex_};
    why = std::exchange(request_, request::none);
    if (std::exchange(too_many_updates_, false))
      hold_until_ = now + policy_.least_interval;
  }
  const bool none_yet = !current();
  const bool forced = why == request::expired && now >= forced_at_ + policy_.least_interval;
  if (!none_yet && !forced && why != request::reload && !due_by_age(now))
    return {};
  auto pem = read_file(key_.file);
  if (!pem.ok()) {
    std::lock_guard lock{mutex_};
    return error_ = pem.message;
  }
  if (why == request::reload && pem.value == pem_ && !none_yet && !due_by_age(now))
    return {};
  return replace(std::move(pem.value), now, forced ? request::expired : why);
}

std::string provider_token::replace(std::string pem, std::chrono::sys_seconds now, request why) {
  auto token = sign_provider_token(key_, pem, now);
  std::lock_guard lock{mutex_};
  error_ = token.message;
  if (!token.ok())
    return error_;
  pem_ = std::move(pem);
  issued_at_ = now;
  if (why == request::expired)
    forced_at_ = now;
  auto text = std::make_shared<const std::string>("bearer " + token.value);
  std::lock_guard current_lock{current_mutex_};
  current_ = std::move(text);
  return {};
}

} // namespace signalbox
