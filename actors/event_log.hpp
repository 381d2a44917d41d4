#pragma once

#include "messages/subscription.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace signalbox {

/// The events of one run of a node, numbered, the newest of them kept: for subscribers that come
/// again with the id of the last event that they got.
class event_log {
public:
  struct entry {
    std::uint64_t number = 0;
    live_event event;
  };

  /// `run` is the part of all ids before the number.
  event_log(std::string run, std::size_t most_bytes);

  /// Numbers an event, whose text has no id yet. None if the last event about the same had the same
  /// text.
  std::optional<live_event> append(live_event event);

  /// The event, unnumbered: a subscriber that got it has what there was up to `number`.
  live_event with_id(live_event event, std::uint64_t number) const;

  /// The newest event about it, if it is still there.
  std::optional<live_event> newest(const std::string& about) const;

  /// What a subscriber of all has not got that got the event of this id: of each thing the newest.
  /// None: the id is of another run, of no event, or of one that is too old.
  std::optional<std::vector<live_event>> since(std::string_view id) const;

  /// Whether the event of this id was the final one about it.
  bool was_final(std::string_view id, std::string_view about) const;

  /// The number of the newest event; 0: there was none.
  std::uint64_t last() const { return last_; }

private:
  std::string id_of(std::uint64_t number) const;
  const entry* find(std::uint64_t number) const;
  std::optional<std::uint64_t> number_of(std::string_view id) const;

  const std::string run_;
  const std::size_t most_bytes_;
  std::uint64_t last_ = 0;
  std::size_t bytes_ = 0;
  std::deque<entry> entries_; ///< rising numbers; an older one about the same thing may be missing
  std::uint64_t forgotten_ = 0; ///< the newest that is no longer there
  struct known {
    std::uint64_t number = 0;
    std::size_t body = 0; ///< hash
  };
  std::unordered_map<std::string, known> newest_; ///< of what is in entries_
};

} // namespace signalbox
