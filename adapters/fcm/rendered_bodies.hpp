#pragma once

#include "adapters/fcm/render.hpp"
#include "messages/ids.hpp"
#include "messages/job.hpp"

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace signalbox {

/// A job rendered for FCM, shared by its requests.
struct rendered_body {
  job_id id;
  std::optional<std::chrono::seconds> ttl; ///< that it was rendered with
  fcm_body body;
  std::string error; ///< why it cannot be sent; empty when it can
};

/// Keeps the jobs that were rendered last, so that the chunks of a job render it once, or once a
/// second while its ttl runs down. Not thread-safe.
class rendered_bodies {
public:
  explicit rendered_bodies(std::string marker, std::size_t capacity = 128)
    : marker_{std::move(marker)}, capacity_{capacity} {}

  std::shared_ptr<const rendered_body> get(const job_context& job, timestamp now);

  /// Of the bodies that are kept.
  static constexpr std::size_t capacity_bytes = 1 << 20;

private:
  using entries = std::list<std::shared_ptr<const rendered_body>>;

  const std::string marker_;
  const std::size_t capacity_;
  std::size_t bytes_ = 0;
  entries by_use_; // the latest first
  std::unordered_map<job_id, entries::iterator> by_id_;
};

} // namespace signalbox
