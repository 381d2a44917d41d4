#include "adapters/io/descriptors.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <sys/resource.h>

namespace signalbox {

namespace {

// A hard limit can be in the billions or none at all; the kernel's own bound (fs.nr_open) is this.
constexpr rlim_t most_descriptors = 1'048'576;

} // namespace

std::size_t descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return std::min(limit.rlim_cur, most_descriptors);
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    const auto wanted = std::min(limit.rlim_max, most_descriptors);
    if (limit.rlim_cur < wanted) {
      limit.rlim_cur = wanted;
      setrlimit(RLIMIT_NOFILE, &limit);
    }
  }
  return descriptor_limit();
}

std::optional<std::size_t> open_descriptors() {
  std::error_code error;
  std::filesystem::directory_iterator entries{"/proc/self/fd", error};
  if (error)
    return std::nullopt;
  // One of them is the iterator's.
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries))) - 1;
}

} // namespace signalbox
