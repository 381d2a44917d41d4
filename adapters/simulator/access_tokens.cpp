#include "adapters/simulator/access_tokens.hpp"

#include "adapters/simulator/json_web_token.hpp"
#include "adapters/simulator/tls_material.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <stdexcept>

namespace signalbox::sim {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 2> token_paths{"/token", "/oauth2/v4/token"};
constexpr std::array<std::string_view, 2> google_audiences{
  "https://oauth2.googleapis.com/token", "https://www.googleapis.com/oauth2/v4/token"};
constexpr std::string_view form_type = "application/x-www-form-urlencoded";
constexpr std::string_view grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
constexpr std::string_view messaging_scope = "https://www.googleapis.com/auth/firebase.messaging";
constexpr std::string_view platform_scope = "https://www.googleapis.com/auth/cloud-platform";
constexpr std::string_view bad_times =
  "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
  "Check your iat and exp values in the JWT claim.";
constexpr std::int64_t longest_life_s = 60 * 60;
constexpr std::int64_t clock_skew_s = 5 * 60;
constexpr std::size_t token_bytes = 160;
constexpr std::size_t most_granted = 1024;

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  const auto lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// application/x-www-form-urlencoded, the value of one name.
std::optional<std::string> form_value(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    const auto pair = form.substr(0, form.find('&'));
    form.remove_prefix(std::min(form.size(), pair.size() + 1));
    const auto split = pair.find('=');
    if (split == pair.npos || pair.substr(0, split) != name)
      continue;
    std::string value;
    for (auto at = split + 1; at < pair.size(); ++at) {
      if (pair[at] == '%' && at + 2 < pair.size() && hex_value(pair[at + 1]) >= 0 &&
          hex_value(pair[at + 2]) >= 0) {
        value += static_cast<char>(hex_value(pair[at + 1]) << 4 | hex_value(pair[at + 2]));
        at += 2;
      } else {
        value += pair[at] == '+' ? ' ' : pair[at];
      }
    }
    return value;
  }
  return {};
}

std::string new_token() {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<unsigned char, token_bytes> random;
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
    throw std::runtime_error{"OpenSSL: RAND_bytes failed"};
  std::string text = "ya29.";
  for (const auto byte : random)
    text += digits[byte & 63];
  return text;
}

bool has_scope(const json::object& claims) {
  const auto* scope = claims.if_contains("scope");
  if (scope == nullptr || !scope->is_string())
    return false;
  std::string_view all = scope->get_string();
  while (!all.empty()) {
    const auto one = all.substr(0, all.find(' '));
    if (one == messaging_scope || one == platform_scope)
      return true;
    all.remove_prefix(std::min(all.size(), one.size() + 1));
  }
  return false;
}

bool is_form(const request& in) {
  return std::any_of(in.fields.begin(), in.fields.end(), [](const header_field& field) {
    return field.name == "content-type" && field.value.starts_with(form_type);
  });
}

} // namespace

void access_tokens::key_deleter::operator()(void* key) const {
  EVP_PKEY_free(static_cast<EVP_PKEY*>(key));
}

access_tokens::access_tokens(const std::filesystem::path& public_key_pem) {
  std::unique_ptr<FILE, int (*)(FILE*)> file{std::fopen(public_key_pem.c_str(), "r"), std::fclose};
  if (file)
    key_.reset(PEM_read_PUBKEY(file.get(), nullptr, nullptr, nullptr));
  if (!key_)
    throw std::runtime_error{"cannot read a public key from " + public_key_pem.string()};
}

access_tokens::~access_tokens() = default;

void access_tokens::handle(const request& in, const fault_settings& faults, std::int64_t now_s,
                           answer& out) {
  out.content_type = "application/json; charset=utf-8";
  const auto refuse = [&](int status, std::string_view error, std::string_view description) {
    out.status = status;
    out.body = json::serialize(json::object{{"error", error}, {"error_description", description}});
  };
  if (in.method != "POST")
    return refuse(405, "invalid_request", "The method must be POST.");
  if (faults.token_status != 0) {
    if (faults.token_status == 429 || faults.token_status == 503)
      out.retry_after_s = faults.retry_after_s;
    return refuse(faults.token_status,
                  faults.token_status < 500 ? "invalid_grant" : "internal_failure", "Scripted.");
  }
  if (!is_form(in))
    return refuse(400, "invalid_request", "The content type must be that of a form.");
  if (const auto why = check(in.body, now_s); !why.error.empty())
    return refuse(400, why.error, why.description);
  if (granted_.size() == most_granted)
    granted_.clear();
  const auto token = new_token();
  granted_[token] = {now_s + faults.token_lifetime_s, faults.token_generation};
  out.body = json::serialize(json::object{
    {"access_token", token}, {"expires_in", faults.token_lifetime_s}, {"token_type", "Bearer"}});
}

bool access_tokens::is_token_path(std::string_view path) noexcept {
  return std::find(token_paths.begin(), token_paths.end(), path) != token_paths.end();
}

bool access_tokens::is_audience(const json::object& claims) const {
  return json_web_token::has_text(claims, "aud", token_uri_) ||
         std::any_of(google_audiences.begin(), google_audiences.end(), [&](std::string_view own) {
           return json_web_token::has_text(claims, "aud", own);
         });
}

access_tokens::refusal access_tokens::check(std::string_view form, std::int64_t now_s) const {
  if (form_value(form, "grant_type") != grant_type)
    return {"unsupported_grant_type", "Invalid grant_type."};
  const auto assertion = form_value(form, "assertion");
  const auto token = assertion ? parse_json_web_token(*assertion) : std::nullopt;
  if (!token || !json_web_token::has_text(token->header, "alg", "RS256") ||
      (token->header.contains("kid") &&
       !json_web_token::has_text(token->header, "kid", fcm_private_key_id)))
    return {"invalid_grant", "Invalid JWT."};
  if (!json_web_token::has_text(token->claims, "iss", fcm_client_email))
    return {"invalid_grant", "Invalid grant: account not found"};
  if (!signature_holds(token->signed_part, token->signature))
    return {"invalid_grant", "Invalid JWT Signature."};
  if (!is_audience(token->claims))
    return {"invalid_grant", "Invalid JWT: Failed audience check."};
  const auto issued_at = token->seconds("iat").value_or(0);
  const auto expires_at = token->seconds("exp").value_or(0);
  if (issued_at > now_s + clock_skew_s || expires_at <= now_s || expires_at <= issued_at ||
      expires_at - issued_at > longest_life_s)
    return {"invalid_grant", bad_times};
  if (!has_scope(token->claims))
    return {"invalid_scope", "Invalid OAuth scope or ID token audience provided."};
  return {};
}

bool access_tokens::signature_holds(std::string_view signed_part,
                                    std::string_view signature) const {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> digest{EVP_MD_CTX_new(),
                                                                  EVP_MD_CTX_free};
  auto* key = static_cast<EVP_PKEY*>(key_.get());
  return EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(
           digest.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
           reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size()) == 1;
}

bool access_tokens::is_valid(std::string_view token, const fault_settings& faults,
                             std::int64_t now_s) {
  if (token != latest_token_) {
    latest_token_ = token;
    const auto found = granted_.find(latest_token_);
    latest_ = found == granted_.end() ? grant{} : found->second;
  }
  return latest_.expires_at_s > now_s && latest_.generation == faults.token_generation;
}

} // namespace signalbox::sim
