#include "adapters/http/route.hpp"

#include <utility>

namespace signalbox::http {

body_flow::body_flow(std::shared_ptr<completion_queue> queue, std::uint64_t connection,
                     std::uint64_t exchange)
  : queue_(std::move(queue)), connection_(connection), exchange_(exchange) {}

void body_flow::resume() const {
  queue_->push({connection_, exchange_, resume_body{}});
}

} // namespace signalbox::http
