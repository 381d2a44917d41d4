#include "actors/target_list.hpp"

#include <limits>

namespace signalbox {

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (shift == 63 && byte > 1)
      return std::nullopt;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80)
      return value;
  }
  return std::nullopt;
}

std::string encode_targets(std::span<const token_id> ids) {
  std::string out;
  out.reserve(ids.size() + 8);
  token_id last = 0;
  for (const auto id : ids) {
    append_varint(out, static_cast<std::uint64_t>(id - last));
    last = id;
  }
  return out;
}

std::optional<std::vector<token_id>> decode_targets(std::string_view bytes) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<token_id>::max());
  std::vector<token_id> ids;
  ids.reserve(bytes.size());
  std::uint64_t last = 0;
  while (!bytes.empty()) {
    const auto step = take_varint(bytes);
    if (!step || *step == 0 || *step > most - last)
      return std::nullopt;
    last += *step;
    ids.push_back(static_cast<token_id>(last));
  }
  return ids;
}

} // namespace signalbox
