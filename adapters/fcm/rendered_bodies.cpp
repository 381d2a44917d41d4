#include "adapters/fcm/rendered_bodies.hpp"

#include <utility>

namespace signalbox {

namespace {

std::size_t size_of(const rendered_body& made) {
  return made.body.before_token.size() + made.body.after_token.size();
}

} // namespace

std::shared_ptr<const rendered_body> rendered_bodies::get(const job_context& job, timestamp now) {
  const auto ttl = remaining_fcm_ttl(job, now);
  if (const auto known = by_id_.find(job.id); known != by_id_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, known->second);
    if ((*known->second)->ttl == ttl)
      return *known->second;
    bytes_ -= size_of(*by_use_.front());
    by_use_.pop_front();
    by_id_.erase(known);
  }
  auto rendered = render_fcm(job, marker_, now);
  by_use_.push_front(std::make_shared<const rendered_body>(
    rendered_body{job.id, ttl, std::move(rendered.value), rendered.message}));
  by_id_.emplace(job.id, by_use_.begin());
  bytes_ += size_of(*by_use_.front());
  while (by_use_.size() > capacity_ || (bytes_ > capacity_bytes && by_use_.size() > 1)) {
    bytes_ -= size_of(*by_use_.back());
    by_id_.erase(by_use_.back()->id);
    by_use_.pop_back();
  }
  return by_use_.front();
}

} // namespace signalbox
