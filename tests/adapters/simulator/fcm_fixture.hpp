#pragma once

#include "adapters/simulator/tls_material.hpp"
#include "tests/adapters/simulator/simulator_fixture.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace signalbox::sim::test {

inline constexpr std::string_view token_uri = "https://localhost:1/token";

/// What an assertion for an access token says, to be spoilt by a test.
struct assertion_options {
  std::string header = R"({"alg":"RS256","typ":"JWT"})";
  std::string issuer{fcm_client_email};
  std::string scope = "https://www.googleapis.com/auth/firebase.messaging";
  std::string audience{token_uri};
  std::int64_t issued_ago_s = 0;
  std::int64_t life_s = 3600;
  std::string fraction{}; ///< behind the whole seconds of `iat` and `exp`
};

/// RFC 7523, section 2.1, signed with the simulator's key.
inline std::string make_assertion(const tls_material& tls, const assertion_options& options = {}) {
  const auto issued_at = wall_time_s() - options.issued_ago_s;
  auto claims = boost::json::serialize(boost::json::object{
    {"iss", options.issuer}, {"scope", options.scope}, {"aud", options.audience}});
  claims.pop_back();
  claims += ",\"iat\":" + std::to_string(issued_at) + options.fraction +
            ",\"exp\":" + std::to_string(issued_at + options.life_s) + options.fraction + "}";
  const auto text = base64url(options.header) + "." + base64url(claims);
  std::unique_ptr<FILE, int (*)(FILE*)> file{std::fopen(tls.fcm_key.c_str(), "r"), std::fclose};
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key{
    PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> digest{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  std::array<unsigned char, 512> signature;
  auto size = signature.size();
  EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get());
  EVP_DigestSign(digest.get(), signature.data(), &size,
                 reinterpret_cast<const unsigned char*>(text.data()), text.size());
  return text + "." + base64url({reinterpret_cast<const char*>(signature.data()), size});
}

inline message make_token_request(const std::string& assertion) {
  message made;
  made.path = "/token";
  made.fields = {{"content-type", "application/x-www-form-urlencoded"}};
  made.body =
    "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + assertion;
  return made;
}

/// An FCM registration token, another one for every number.
inline std::string registration(int number) {
  std::array<char, 48> text;
  std::snprintf(text.data(), text.size(), "registration:APA91b%024d", number);
  return text.data();
}

inline message make_fcm_message(const std::string& access_token, const std::string& token,
                                const std::string& more = R"("notification":{"title":"hello"})") {
  message made;
  made.path = "/v1/projects/signalbox-sim/messages:send";
  made.fields = {{"authorization", "Bearer " + access_token}, {"content-type", "application/json"}};
  made.body = R"({"message":{"token":")" + token + "\"," + more + "}}";
  return made;
}

} // namespace signalbox::sim::test
