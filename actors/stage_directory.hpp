#pragma once

#include "actors/bounded.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

namespace signalbox {

/// One actor's place in the node: "push", "sender", 0. The lane is empty for what all lanes share.
struct stage_place {
  std::string lane;
  std::string stage;
  std::size_t instance = 0;
  auto operator<=>(const stage_place&) const = default;
};

struct stage_entry {
  stage_place place;
  std::uint64_t restarts = 0;
  std::shared_ptr<const mailbox_stats> mailbox; ///< of the actor that is there now
};

/// Who is where, for metrics, readiness and inspection: CAF's registry cannot list actors.
/// Thread-safe.
class stage_directory {
public:
  /// A mailbox for a new actor at this place; a restart when another was there before.
  std::shared_ptr<mailbox_stats> enter(const stage_place& place, std::int64_t capacity);
  std::vector<stage_entry> list() const;

private:
  struct slot {
    std::uint64_t restarts = 0;
    std::shared_ptr<mailbox_stats> mailbox;
  };

  mutable std::mutex mutex_;
  std::map<stage_place, slot> slots_;
};

} // namespace signalbox
