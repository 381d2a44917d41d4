#include "messages/job.hpp"

#include <algorithm>

namespace signalbox {

std::optional<timestamp> job_context::deadline() const {
  auto deadline = options.expires_at;
  if (options.ttl && options.ttl->count() > 0) {
    const timestamp end = not_before.value_or(created_at) + *options.ttl;
    deadline = deadline ? std::min(*deadline, end) : end;
  }
  return deadline;
}

job_counts& job_counts::operator+=(const job_counts& other) {
  accepted += other.accepted;
  rejected += other.rejected;
  unknown += other.unknown;
  expired += other.expired;
  skipped += other.skipped;
  return *this;
}

} // namespace signalbox
