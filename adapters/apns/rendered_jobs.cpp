#include "adapters/apns/rendered_jobs.hpp"

#include <utility>

namespace signalbox {

namespace {

std::size_t size_of(const rendered_job& made) {
  return made.request.body.size();
}

} // namespace

std::shared_ptr<const rendered_job> rendered_jobs::get(const job_context& job,
                                                       const std::string& bundle) {
  if (const auto known = by_id_.find(job.id); known != by_id_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, known->second);
    if ((*known->second)->bundle == bundle)
      return *known->second;
    bytes_ -= size_of(*by_use_.front());
    by_use_.pop_front();
    by_id_.erase(known);
  }
  auto rendered = render_apns(job, bundle);
  by_use_.push_front(std::make_shared<const rendered_job>(rendered_job{
    job.id, bundle, std::move(rendered.value), push_id_source{job.id}, rendered.message}));
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
