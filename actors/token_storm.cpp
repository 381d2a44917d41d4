#include "actors/token_storm.hpp"

#include <algorithm>

namespace signalbox {

void token_storm::move_to(seconds now) {
  const auto steps = std::min<std::int64_t>(now.count() - latest_, window);
  for (std::int64_t i = 1; i <= steps; ++i) {
    auto& oldest = buckets_[static_cast<std::size_t>(now.count() - steps + i) % window];
    sum_.answers -= oldest.answers;
    sum_.bad_tokens -= oldest.bad_tokens;
    oldest = {};
  }
  latest_ = std::max(latest_, now.count());
}

void token_storm::count(seconds now, std::uint64_t answers, std::uint64_t bad_tokens) {
  move_to(now);
  auto& current = buckets_[static_cast<std::size_t>(latest_) % window];
  current.answers += answers;
  current.bad_tokens += bad_tokens;
  sum_.answers += answers;
  sum_.bad_tokens += bad_tokens;
}

bool token_storm::tripped(seconds now) {
  move_to(now);
  return sum_.bad_tokens > std::max<std::uint64_t>(100, sum_.answers / 20);
}

} // namespace signalbox
