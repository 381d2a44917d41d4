#include "actors/unproved_tokens.hpp"

#include <utility>

namespace signalbox {

namespace {

constexpr std::size_t most_tokens = 4'096;

} // namespace

void unproved_tokens::add(late_invalidation blamed) {
  forget(blamed.token);
  const auto token = blamed.token;
  places_[token] = order_.insert(order_.end(), std::move(blamed));
  if (order_.size() > most_tokens)
    take();
}

void unproved_tokens::forget(token_id token) {
  const auto found = places_.find(token);
  if (found == places_.end())
    return;
  order_.erase(found->second);
  places_.erase(found);
}

late_invalidation unproved_tokens::take() {
  auto oldest = std::move(order_.front());
  places_.erase(oldest.token);
  order_.pop_front();
  return oldest;
}

} // namespace signalbox
