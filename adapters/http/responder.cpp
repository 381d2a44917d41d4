#include "adapters/http/responder.hpp"

#include "adapters/http/problem.hpp"

#include <utility>

namespace signalbox::http {

responder::responder(std::shared_ptr<completion_queue> queue, std::uint64_t connection,
                     std::uint64_t exchange, std::shared_ptr<void> hold)
  : queue_(std::move(queue)), connection_(connection), exchange_(exchange), hold_(std::move(hold)) {
}

responder& responder::operator=(responder&& other) noexcept {
  if (this != &other) {
    abandon();
    queue_ = std::move(other.queue_);
    connection_ = other.connection_;
    exchange_ = other.exchange_;
    hold_ = std::move(other.hold_);
  }
  return *this;
}

responder::~responder() {
  abandon();
}

void responder::answer(response reply) {
  hold_.reset();
  if (auto queue = std::exchange(queue_, nullptr))
    queue->push({connection_, exchange_, std::move(reply)});
}

void responder::limit(std::chrono::milliseconds limit, response late) {
  if (queue_)
    queue_->push({connection_, exchange_,
                  answer_deadline{std::chrono::steady_clock::now() + limit, std::move(late)}});
}

void responder::abandon() noexcept {
  if (queue_)
    answer(unavailable("The node could not finish this request now; try again."));
}

} // namespace signalbox::http
