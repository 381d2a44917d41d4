#include "adapters/apns/collapse_id.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>

namespace signalbox {

namespace {

constexpr std::size_t longest_collapse_id = 64;

bool can_be_a_collapse_id(std::string_view text) {
  return text.size() <= longest_collapse_id &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::string sha256_hex(std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &length, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("no SHA-256 from OpenSSL");
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) {
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 0x0f];
  }
  return hex;
}

} // namespace

std::string apns_collapse_id(std::string_view text) {
  return can_be_a_collapse_id(text) ? std::string{text} : sha256_hex(text);
}

} // namespace signalbox
