#include "messages/ids.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <mutex>
#include <stdexcept>

namespace signalbox {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

bool is_dash_position(int i) {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

// A bijection on 64 bits, so that two tokens of a job can never share an id.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
  return x ^ x >> 31;
}

void store_big_endian(std::uint64_t value, std::uint8_t* out) {
  for (int i = 7; i >= 0; --i, value >>= 8)
    out[i] = static_cast<std::uint8_t>(value);
}

std::uint64_t load_big_endian(const std::uint8_t* in) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i)
    value = value << 8 | in[i];
  return value;
}

void set_version(uuid& id, std::uint8_t version) {
  id.bytes[6] = static_cast<std::uint8_t>(version << 4 | (id.bytes[6] & 0x0f));
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
}

} // namespace

void uuid::write_to(char* out) const {
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      *out++ = '-';
    *out++ = hex_digits[bytes[i] >> 4];
    *out++ = hex_digits[bytes[i] & 0x0f];
  }
}

std::string uuid::to_string() const {
  std::string text(36, '\0');
  write_to(text.data());
  return text;
}

std::optional<uuid> uuid::parse(std::string_view text) {
  if (text.size() != 36)
    return std::nullopt;
  uuid id;
  std::size_t nibble = 0;
  for (int i = 0; i < 36; ++i) {
    if (is_dash_position(i)) {
      if (text[i] != '-')
        return std::nullopt;
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0)
      return std::nullopt;
    auto& byte = id.bytes[nibble / 2];
    byte = static_cast<std::uint8_t>(nibble % 2 == 0 ? value << 4 : byte | value);
    ++nibble;
  }
  return id;
}

namespace {

// Taken from OpenSSL a block at a time, since each call costs it a system call. Not thread-safe.
class random_numbers {
public:
  std::uint64_t next() {
    if (used_ == block_.size()) {
      if (RAND_bytes(block_.data(), static_cast<int>(block_.size())) != 1)
        throw std::runtime_error("no random bytes from OpenSSL");
      used_ = 0;
    }
    const auto number = load_big_endian(block_.data() + used_);
    used_ += sizeof number;
    return number;
  }

private:
  std::array<std::uint8_t, 1'024> block_{};
  std::size_t used_ = block_.size();
};

} // namespace

uuid make_uuid_v7(timestamp now) {
  static std::mutex mutex;
  static random_numbers numbers;
  static std::uint64_t last_ms = 0;
  static std::uint64_t counter = 0; // 12 bits of rand_a, then 18 bits of rand_b (RFC 9562, 6.2)
  std::uint64_t random = 0;
  std::uint64_t ms = 0;
  std::uint64_t sequence = 0;
  {
    std::lock_guard lock{mutex};
    random = numbers.next();
    const auto now_ms = static_cast<std::uint64_t>(now.time_since_epoch().count());
    if (now_ms > last_ms) {
      last_ms = now_ms;
      counter = random & 0x1fffffff; // the top bit stays free for counting
    } else if (++counter == 1ULL << 30) {
      ++last_ms;
      counter = 0;
    }
    ms = last_ms;
    sequence = counter;
  }
  uuid id;
  store_big_endian(ms << 16 | sequence >> 18, id.bytes.data());
  const auto tail = (sequence & 0x3ffff) << 44 | (random >> 20);
  store_big_endian(tail, id.bytes.data() + 8);
  set_version(id, 7);
  return id;
}

push_id_source::push_id_source(const job_id& job) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (EVP_Digest(job.bytes.data(), job.bytes.size(), digest, &length, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("no SHA-256 from OpenSSL");
  high_ = load_big_endian(digest);
  low_ = load_big_endian(digest + 8);
}

uuid push_id_source::id_for(token_id token) const {
  const auto number = static_cast<std::uint64_t>(token);
  uuid id;
  store_big_endian(mix(high_ ^ number), id.bytes.data());
  store_big_endian(mix(low_ + number), id.bytes.data() + 8);
  set_version(id, 8);
  return id;
}

} // namespace signalbox
