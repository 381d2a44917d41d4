#include "adapters/http/token_slices.hpp"

#include <string>
#include <utility>

namespace signalbox::http {

namespace {

constexpr std::size_t max_rows = 2'000;
constexpr std::size_t max_bytes = 1024 * 1024;

/// What a row holds in memory; short texts are inside their strings.
std::size_t size_of(const token_registration& row) {
  auto bytes = sizeof(row) + row.user.capacity() + row.token.capacity();
  for (const auto& topic : row.topics)
    bytes += sizeof(topic) + topic.capacity();
  return bytes;
}

} // namespace

bool token_slices::slice::is_full() const {
  return rows.size() >= max_rows || bytes >= max_bytes;
}

void token_slices::add(token_registration row) {
  if (slices_.empty() || slices_.back().is_full())
    slices_.emplace_back();
  auto& last = slices_.back();
  last.bytes += size_of(row);
  last.rows.push_back(std::move(row));
}

bool token_slices::has_full() const {
  return !slices_.empty() && slices_.front().is_full();
}

std::vector<token_registration> token_slices::take() {
  auto rows = std::move(slices_.front().rows);
  slices_.pop_front();
  return rows;
}

} // namespace signalbox::http
