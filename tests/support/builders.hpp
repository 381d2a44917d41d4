#pragma once

#include "messages/ledger.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace signalbox {

inline constexpr destination apns_production{default_app, platform::apns, environment::production};
inline constexpr destination apns_sandbox{default_app, platform::apns, environment::sandbox};
inline constexpr destination fcm_production{default_app, platform::fcm, environment::production};

/// The id of a test's job number `n`.
job_id job_number(std::uint64_t n);

/// A job for a topic, accepted at `at`.
new_job topic_job(std::uint64_t n, std::string topic, timestamp at, std::string lane = "push");

/// A job for `count` inline tokens of one destination.
new_job token_job(std::uint64_t n, std::size_t count, timestamp at,
                  const destination& dest = apns_production, std::string lane = "push");

/// Makes works that no store knows of.
class work_builder {
public:
  explicit work_builder(std::uint64_t job) { made_.key.job = job_number(job); }

  work_builder& seq(std::uint32_t seq);
  work_builder& to(const destination& dest);
  work_builder& targets(std::size_t count);
  work_builder& skipped(std::size_t count, const std::string& reason = "unsubscribed");
  work_builder& lease_until(boot_clock::time_point deadline);
  work_builder& expires_at(timestamp at);
  work_ptr build() const;

private:
  work made_;
  job_options options_;
  timestamp created_at_{std::chrono::milliseconds{1'700'000'000'000}};
};

} // namespace signalbox
