#include "adapters/simulator/provider_token.hpp"

#include "adapters/simulator/json_web_token.hpp"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace signalbox::sim {

namespace {

constexpr std::int64_t longest_age_s = 60 * 60;
constexpr std::int64_t clock_skew_s = 60;
constexpr std::size_t most_known = 1024;
constexpr std::size_t half_signature = 32;

} // namespace

void provider_token_verifier::key_deleter::operator()(void* key) const {
  EVP_PKEY_free(static_cast<EVP_PKEY*>(key));
}

provider_token_verifier::provider_token_verifier(const std::filesystem::path& public_key_pem,
                                                 std::string key_id, std::string team_id)
  : key_id_{std::move(key_id)}, team_id_{std::move(team_id)} {
  std::unique_ptr<FILE, int (*)(FILE*)> file{std::fopen(public_key_pem.c_str(), "r"), std::fclose};
  if (file)
    key_.reset(PEM_read_PUBKEY(file.get(), nullptr, nullptr, nullptr));
  if (!key_)
    throw std::runtime_error{"cannot read a public key from " + public_key_pem.string()};
}

provider_token_verifier::~provider_token_verifier() = default;

token_verdict provider_token_verifier::verify(std::string_view token, std::int64_t now_s) {
  if (token != latest_token_) {
    const std::string text{token};
    auto found = known_.find(text);
    if (found == known_.end()) {
      if (known_.size() == most_known)
        known_.clear();
      found = known_.emplace(text, examine(token)).first;
    }
    latest_token_ = text;
    latest_ = found->second;
  }
  if (!latest_.genuine || latest_.issued_at_s > now_s + clock_skew_s)
    return token_verdict::invalid;
  return now_s - latest_.issued_at_s > longest_age_s ? token_verdict::expired
                                                     : token_verdict::valid;
}

provider_token_verifier::claims provider_token_verifier::examine(std::string_view token) const {
  const auto parsed = parse_json_web_token(token);
  const auto issued_at = parsed ? parsed->seconds("iat") : std::nullopt;
  if (!issued_at || !json_web_token::has_text(parsed->header, "alg", "ES256") ||
      !json_web_token::has_text(parsed->header, "kid", key_id_) ||
      !json_web_token::has_text(parsed->claims, "iss", team_id_) ||
      !signature_holds(parsed->signed_part, parsed->signature))
    return {};
  return {true, *issued_at};
}

// RFC 7518, section 3.4: the signature is r and s, 32 bytes each. OpenSSL wants them as ASN.1, as
// which some clients send them.
bool provider_token_verifier::signature_holds(std::string_view signed_part,
                                              std::string_view signature) const {
  if (signature.size() != 2 * half_signature)
    return asn1_signature_holds(signed_part, signature);
  const auto* bytes = reinterpret_cast<const unsigned char*>(signature.data());
  const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> pair{ECDSA_SIG_new(), ECDSA_SIG_free};
  ECDSA_SIG_set0(pair.get(), BN_bin2bn(bytes, half_signature, nullptr),
                 BN_bin2bn(bytes + half_signature, half_signature, nullptr));
  std::array<unsigned char, 128> der;
  auto* out = der.data();
  const int size = i2d_ECDSA_SIG(pair.get(), &out);
  return size > 0 && asn1_signature_holds(signed_part, {reinterpret_cast<const char*>(der.data()),
                                                        static_cast<std::size_t>(size)});
}

bool provider_token_verifier::asn1_signature_holds(std::string_view signed_part,
                                                   std::string_view signature) const {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> digest{EVP_MD_CTX_new(),
                                                                  EVP_MD_CTX_free};
  auto* key = static_cast<EVP_PKEY*>(key_.get());
  return EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(
           digest.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
           reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size()) == 1;
}

} // namespace signalbox::sim
