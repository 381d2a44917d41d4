#pragma once

#include "actors/ports/page.hpp"
#include "adapters/store/sqlite/connection.hpp"

#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace signalbox::sqlite {

/// The number that a page's key stands for; `start` if it is empty or none.
inline std::int64_t number_after(const page_request& page, std::int64_t start) {
  std::int64_t number = start;
  std::from_chars(page.after.data(), page.after.data() + page.after.size(), number);
  return number;
}

/// Takes a page from a query that asked for one row more than fits. `item` makes an item of a row,
/// `key` the text that the next page starts after.
template <class T, class Item, class Key>
page_of<T> take_page(rows& found, std::size_t limit, Item item, Key key) {
  page_of<T> page;
  std::string last;
  while (found.next()) {
    if (page.items.size() == limit) {
      page.next = std::move(last);
      break;
    }
    last = key(found);
    page.items.push_back(item(found));
  }
  return page;
}

} // namespace signalbox::sqlite
