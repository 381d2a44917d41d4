#pragma once

#include "messages/destination.hpp"
#include "messages/job.hpp"
#include "messages/outcome_status.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// Time that goes on while the machine is suspended (CLOCK_BOOTTIME): what lease deadlines are
/// measured by, so that a laptop that wakes up submits nothing under a lease that others took over.
struct boot_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<boot_clock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};

/// One chunk of a job: at most 1,000 targets of one provider and environment.
struct chunk_key {
  job_id job;
  std::uint32_t seq = 0;
  auto operator<=>(const chunk_key&) const = default;
};

/// One device to send to. `index` is its place in its chunk; `attempts` counts the tries before
/// this one; `token` is a range of the work's `text`.
struct target {
  token_id id = 0;
  std::uint32_t index = 0;
  std::uint32_t offset = 0;
  std::uint16_t length = 0;
  std::uint16_t attempts = 0;
};

/// A target that is not to be sent: the re-check at the send turned it away (*skipped*), or its
/// request may have left before a crash and its job gives up on unknown (*unknown*).
struct settled_target {
  token_id id = 0;
  std::uint32_t index = 0;
  std::string reason; ///< "unsubscribed", "invalidated", "deleted", "rebound", "no_answer"
  outcome_status status = outcome_status::skipped;
};

enum class work_kind : std::uint8_t {
  chunk, ///< first tries: outcomes set done bits
  retry, ///< due retries of one job and destination: outcomes end them; `key` is of the chunk
         ///< of one of them
};

/// What a master claimed under a lease and a sender works off. Immutable once handed over.
struct work {
  work_kind kind = work_kind::chunk;
  chunk_key key;
  std::uint64_t epoch = 0; ///< of the claim; a write by an older one changes nothing
  destination dest;
  job_context_ptr job;
  std::vector<target> targets;           ///< re-checked and to be sent, by ascending index
  std::vector<settled_target> settled;   ///< not to be sent: their outcome is known
  std::string text;                      ///< the tokens of all targets
  boot_clock::time_point lease_deadline; ///< nothing is submitted past it

  std::string_view token(const target& t) const { return {text.data() + t.offset, t.length}; }
  std::size_t size() const { return targets.size() + settled.size(); }
};

using work_ptr = std::shared_ptr<const work>;

} // namespace signalbox

template <>
struct std::hash<signalbox::chunk_key> {
  std::size_t operator()(const signalbox::chunk_key& key) const noexcept {
    return std::hash<signalbox::uuid>{}(key.job) + key.seq * 0x9e3779b97f4a7c15ULL;
  }
};
