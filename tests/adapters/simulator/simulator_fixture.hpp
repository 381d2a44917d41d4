#pragma once

#include "adapters/simulator/simulator.hpp"
#include "adapters/simulator/tls_material.hpp"
#include "adapters/simulator/wall_time.hpp"

#include <boost/json/value.hpp>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <string_view>

namespace signalbox::sim::test {

/// A directory that is removed at the end.
class temporary_directory {
public:
  temporary_directory() {
    auto name = (std::filesystem::temp_directory_path() / "sb-sim-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      throw std::runtime_error{"mkdtemp"};
    path_ = name;
  }
  ~temporary_directory() { std::filesystem::remove_all(path_); }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

/// TLS material made once for the whole test program.
inline const tls_material& shared_tls() {
  static const temporary_directory directory;
  static const auto material = ensure_tls_material(directory.path());
  return material;
}

inline boost::json::value json(std::string_view text) {
  return boost::json::string(text.data(), text.size());
}
inline boost::json::value json(std::int64_t number) {
  return number;
}

inline std::string base64url(std::string_view bytes) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const unsigned char c : bytes) {
    bits = bits << 8 | c;
    for (count += 8; count >= 6; count -= 6)
      out += digits[bits >> (count - 6) & 63];
  }
  if (count > 0)
    out += digits[bits << (6 - count) & 63];
  return out;
}

struct token_options {
  std::string header = R"({"alg":"ES256","kid":"SIMKEY0001"})";
  std::string team = "SIMTEAM001";
  std::int64_t age_s = 0;
  std::int64_t issued_at_s = wall_time_s() - age_s;
  std::string fraction{}; ///< behind the whole seconds of `iat`
  bool asn1 = false;      ///< the signature as X.509 has it, not as JWT has it
};

/// A provider token signed with the simulator's key.
inline std::string make_provider_token(const tls_material& tls, const token_options& options = {}) {
  std::unique_ptr<FILE, int (*)(FILE*)> file{std::fopen(tls.apns_key.c_str(), "r"), std::fclose};
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key{
    PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
  const auto text = base64url(options.header) + "." +
                    base64url(R"({"iss":")" + options.team + R"(","iat":)" +
                              std::to_string(options.issued_at_s) + options.fraction + "}");
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> digest{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  std::array<unsigned char, 128> der;
  auto der_size = der.size();
  EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get());
  EVP_DigestSign(digest.get(), der.data(), &der_size,
                 reinterpret_cast<const unsigned char*>(text.data()), text.size());
  if (options.asn1)
    return text + "." + base64url({reinterpret_cast<const char*>(der.data()), der_size});
  const unsigned char* in = der.data();
  std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> pair{
    d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der_size)), ECDSA_SIG_free};
  std::array<unsigned char, 64> raw;
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), raw.data(), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), raw.data() + 32, 32);
  return text + "." + base64url({reinterpret_cast<const char*>(raw.data()), raw.size()});
}

/// A request that the simulator accepts, to be changed by a test.
struct message {
  std::string method = "POST";
  std::string path;
  std::multimap<std::string, std::string> fields;
  std::string body = R"({"aps":{"alert":"hello"}})";

  message& set(const std::string& name, const std::string& value) {
    fields.erase(name);
    fields.emplace(name, value);
    return *this;
  }
};

/// A device token, another one for every number.
inline std::string device(int number) {
  std::array<char, 65> text;
  std::snprintf(text.data(), text.size(), "%064x", number);
  return text.data();
}

inline std::string apns_id(int number) {
  std::array<char, 37> text;
  std::snprintf(text.data(), text.size(), "00000000-0000-8000-8000-%012x", number);
  return text.data();
}

inline message make_message(const std::string& provider_token, const std::string& device_token) {
  message made;
  made.path = "/3/device/" + device_token;
  made.fields = {{"authorization", "bearer " + provider_token},
                 {"apns-topic", "com.example.app"},
                 {"apns-push-type", "alert"}};
  return made;
}

inline message make_live_activity(const std::string& provider_token,
                                  const std::string& device_token, const std::string& activity,
                                  const std::string& sequence) {
  auto made = make_message(provider_token, device_token);
  made.set("apns-topic", "com.example.app.push-type.liveactivity")
    .set("apns-push-type", "liveactivity")
    .set("apns-collapse-id", activity);
  made.body =
    R"({"aps":{"timestamp":1700000000,"event":"update","content-state":{"seq":)" + sequence + "}}}";
  return made;
}

} // namespace signalbox::sim::test
