#include "adapters/http2/backoff.hpp"

#include <algorithm>

namespace signalbox {

namespace {

constexpr unsigned most_doublings = 20;

} // namespace

backoff::backoff(backoff_range range, std::uint64_t seed)
  : range_{range}, random_{static_cast<std::minstd_rand::result_type>(seed)} {}

std::chrono::milliseconds backoff::next() {
  failures_ = std::min(failures_ + 1, most_doublings);
  const auto top = std::min(range_.most, range_.least * (std::int64_t{1} << failures_));
  std::uniform_int_distribution<std::int64_t> delay{range_.least.count(),
                                                    std::max(range_.least, top).count()};
  return std::chrono::milliseconds{delay(random_)};
}

} // namespace signalbox
