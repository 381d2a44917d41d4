#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox {

/// Wall-clock time with millisecond precision, as both stores keep it (SPEC 11.12).
using timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// A 128-bit UUID (RFC 9562) in network byte order, so that byte order is age order for version 7.
struct uuid {
  std::array<std::uint8_t, 16> bytes{};

  /// Lowercase text in the 8-4-4-4-12 form.
  std::string to_string() const;
  /// Writes the 36 characters of the text form to `out`, without a terminator.
  void write_to(char* out) const;
  /// Reads the 8-4-4-4-12 form in either case; nothing if the text has any other form.
  static std::optional<uuid> parse(std::string_view text);

  auto operator<=>(const uuid&) const = default;
};

using job_id = uuid;
using app_id = std::int64_t;
/// Stands for one (token, user): rebinding a token to another user gives it a new id (SPEC 3).
using token_id = std::int64_t;

/// The tenant that exists from the start.
inline constexpr app_id default_app = 1;

/// Makes version 7 UUIDs, strictly increasing within a process also when the clock steps back.
/// Thread-safe.
uuid make_uuid_v7(timestamp now);

/// Derives the `apns-id` (UUID version 8) of one push: the same over retries, crashes and nodes,
/// and different for any two tokens of a job. Hashes the job once, then costs two multiplications a
/// token.
class push_id_source {
public:
  explicit push_id_source(const job_id& job);
  uuid id_for(token_id token) const;

private:
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

} // namespace signalbox

template <>
struct std::hash<signalbox::uuid> {
  std::size_t operator()(const signalbox::uuid& id) const noexcept {
    std::size_t tail = 0; // the random part of a version 7 UUID
    for (int i = 8; i < 16; ++i)
      tail = tail << 8 | id.bytes[i];
    std::size_t head = 0;
    for (int i = 0; i < 8; ++i)
      head = head << 8 | id.bytes[i];
    return tail ^ head * 0x9e3779b97f4a7c15ULL;
  }
};
