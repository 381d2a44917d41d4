#include "adapters/fcm/service_account.hpp"

#include "adapters/fcm/json_fields.hpp"
#include "adapters/io/text_file.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdlib>
#include <memory>
#include <utility>

namespace signalbox {

namespace {

using account_result = result<service_account>;
using text_result = result<std::string>;

constexpr auto messaging_scope = "https://www.googleapis.com/auth/firebase.messaging";
constexpr std::chrono::seconds life{3600};

bool is_rsa_private_key(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> in{
    BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
    PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
  return key && EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA;
}

bool read_endpoint(std::string_view uri, service_account::endpoint& out) {
  const auto parsed = boost::urls::parse_uri(uri);
  if (!parsed || parsed->scheme() != "https" || parsed->encoded_host().empty())
    return false;
  out.host = parsed->host_address();
  out.port = parsed->has_port() && !parsed->port().empty() ? std::string{parsed->port()} : "443";
  out.path = parsed->encoded_path().empty() ? "/" : std::string{parsed->encoded_path()};
  return true;
}

} // namespace

account_result read_service_account(const std::filesystem::path& file) {
  std::string why;
  const auto text = read_text_file(file, why);
  if (!text)
    return account_result::failure(errc::invalid, file.string() + ": " + why);
  return parse_service_account(*text, file.string());
}

account_result parse_service_account(std::string_view text, const std::string& name) {
  const auto refuse = [&](const std::string& why) {
    return account_result::failure(errc::invalid, name + ": " + why);
  };
  const auto parsed = parse_json_object(text);
  if (!parsed)
    return refuse("not a JSON object");
  const auto& members = *parsed;
  if (text_of(members, "type") != "service_account")
    return refuse("\"type\" is not \"service_account\"");
  service_account account;
  const std::pair<std::string_view, std::string*> needed[] = {
    {"project_id", &account.project},
    {"client_email", &account.client_email},
    {"private_key", &account.private_key},
    {"token_uri", &account.token_uri},
  };
  for (const auto& [member, value] : needed) {
    *value = text_of(members, member);
    if (value->empty())
      return refuse("\"" + std::string{member} + "\" is missing");
  }
  account.private_key_id = text_of(members, "private_key_id");
  if (!is_rsa_private_key(account.private_key))
    return refuse("\"private_key\" is not an RSA private key in PEM");
  if (!read_endpoint(account.token_uri, account.token_endpoint))
    return refuse("\"token_uri\" is not an https URL");
  return account_result::success(std::move(account));
}

text_result sign_assertion(const service_account& account, std::chrono::sys_seconds now) {
  jwt_t* raw = nullptr;
  if (jwt_new(&raw) != 0)
    return text_result::failure(errc::internal, "libjwt: out of memory");
  const std::unique_ptr<jwt_t, decltype(&jwt_free)> token{raw, jwt_free};
  const auto& pem = account.private_key;
  const auto* pem_bytes = reinterpret_cast<const unsigned char*>(pem.data());
  const auto at = now.time_since_epoch();
  if ((!account.private_key_id.empty() &&
       jwt_add_header(raw, "kid", account.private_key_id.c_str()) != 0) ||
      jwt_add_grant(raw, "iss", account.client_email.c_str()) != 0 ||
      jwt_add_grant(raw, "sub", account.client_email.c_str()) != 0 ||
      jwt_add_grant(raw, "scope", messaging_scope) != 0 ||
      jwt_add_grant(raw, "aud", account.token_uri.c_str()) != 0 ||
      jwt_add_grant_int(raw, "iat", at.count()) != 0 ||
      jwt_add_grant_int(raw, "exp", (at + life).count()) != 0 ||
      jwt_set_alg(raw, JWT_ALG_RS256, pem_bytes, static_cast<int>(pem.size())) != 0)
    return text_result::failure(errc::invalid,
                                account.client_email + ": libjwt refused the claims");
  const std::unique_ptr<char, decltype(&std::free)> text{jwt_encode_str(raw), std::free};
  if (!text)
    return text_result::failure(errc::internal, account.client_email + ": signing failed");
  return text_result::success(text.get());
}

} // namespace signalbox
