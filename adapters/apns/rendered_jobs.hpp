#pragma once

#include "adapters/apns/render.hpp"
#include "messages/ids.hpp"
#include "messages/job.hpp"

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

namespace signalbox {

/// A job rendered for APNs, shared by all its requests.
struct rendered_job {
  job_id id;
  std::string bundle; ///< that it was rendered for
  apns_request request;
  push_id_source push_ids;
  std::string error; ///< why it cannot be sent; empty when it can
};

/// Keeps the jobs that were rendered last, so that the chunks of a job render it once. Not
/// thread-safe.
class rendered_jobs {
public:
  explicit rendered_jobs(std::size_t capacity = 128) : capacity_{capacity} {}

  /// `bundle` is that of the job's app.
  std::shared_ptr<const rendered_job> get(const job_context& job, const std::string& bundle);

  /// Of the bodies that are kept.
  static constexpr std::size_t capacity_bytes = 1 << 20;

private:
  using entries = std::list<std::shared_ptr<const rendered_job>>;

  std::size_t capacity_;
  std::size_t bytes_ = 0;
  entries by_use_; // the latest first
  std::unordered_map<job_id, entries::iterator> by_id_;
};

} // namespace signalbox
