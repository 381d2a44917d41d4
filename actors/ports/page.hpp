#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace signalbox {

/// A page of a list: at most `limit` items after the place that `after` names. `after` is the
/// store's own key text (empty: from the start); the HTTP adapter wraps it into an opaque cursor.
struct page_request {
  std::string after;
  std::size_t limit = 50;
};

template <class T>
struct page_of {
  std::vector<T> items;
  std::string next; ///< the key for the next page; empty when there is none
};

} // namespace signalbox
