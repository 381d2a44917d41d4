#pragma once

#include "actors/ports/directory.hpp"

#include <cstddef>
#include <deque>
#include <vector>

namespace signalbox::http {

/// Registrations on their way to the store, cut into slices that are bounded in rows (2,000) and in
/// bytes: a slice ends with the row that makes it 1 MiB.
class token_slices {
public:
  void add(token_registration row);

  bool empty() const { return slices_.empty(); }
  /// Whether the first slice has no room.
  bool has_full() const;
  /// The first slice, full or not; there must be one.
  std::vector<token_registration> take();
  void clear() { slices_.clear(); }

private:
  struct slice {
    std::vector<token_registration> rows;
    std::size_t bytes = 0;

    bool is_full() const;
  };

  std::deque<slice> slices_;
};

} // namespace signalbox::http
