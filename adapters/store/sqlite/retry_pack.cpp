#include "adapters/store/sqlite/retry_pack.hpp"

#include "actors/target_list.hpp"

#include <limits>

namespace signalbox::sqlite {

namespace {

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

} // namespace

std::string encode_retries(std::span<const retry_entry> entries) {
  std::string out;
  out.reserve(entries.size() * 8);
  token_id last_token = 0;
  std::int64_t last_seq = 0;
  for (const auto& one : entries) {
    append_varint(out, static_cast<std::uint64_t>(one.token - last_token));
    append_varint(out, zigzag(one.seq - last_seq));
    append_varint(out, one.position);
    append_varint(out, one.attempts * std::uint64_t{2} + (one.is_sent ? 1 : 0));
    last_token = one.token;
    last_seq = one.seq;
  }
  return out;
}

std::optional<std::vector<retry_entry>> decode_retries(std::string_view bytes) {
  constexpr auto most_token = static_cast<std::uint64_t>(std::numeric_limits<token_id>::max());
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  constexpr std::uint64_t most_attempts = std::numeric_limits<std::uint16_t>::max();
  std::vector<retry_entry> entries;
  entries.reserve(bytes.size() / 4);
  std::uint64_t token = 0;
  std::uint64_t seq = 0;
  while (!bytes.empty()) {
    const auto step = take_varint(bytes);
    const auto seq_step = take_varint(bytes);
    const auto position = take_varint(bytes);
    const auto tries = take_varint(bytes);
    if (!step || !seq_step || !position || !tries)
      return std::nullopt;
    if (*step == 0 || *step > most_token - token || *position > most || *tries / 2 > most_attempts)
      return std::nullopt;
    token += *step;
    seq += static_cast<std::uint64_t>(unzigzag(*seq_step)); // below 0 it is beyond any chunk
    if (seq > most)
      return std::nullopt;
    entries.push_back({static_cast<token_id>(token), static_cast<std::uint32_t>(seq),
                       static_cast<std::uint32_t>(*position),
                       static_cast<std::uint16_t>(*tries / 2), *tries % 2 != 0});
  }
  return entries;
}

} // namespace signalbox::sqlite
