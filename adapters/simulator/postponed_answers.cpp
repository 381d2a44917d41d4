#include "adapters/simulator/postponed_answers.hpp"

#include "adapters/simulator/provider_connection.hpp"

#include <utility>

namespace signalbox::sim {

void postponed_answers::delay(std::shared_ptr<provider_connection> connection,
                              std::int32_t stream_id, std::chrono::milliseconds latency) {
  delayed_.push({clock::now() + latency, std::move(connection), stream_id});
  arm();
}

void postponed_answers::hold(std::shared_ptr<provider_connection> connection,
                             std::int32_t stream_id) {
  held_.push_back({{}, std::move(connection), stream_id});
}

void postponed_answers::release_held() {
  send(std::exchange(held_, {}));
}

void postponed_answers::release_all() {
  release_held();
  release_until(clock::time_point::max());
  timer_.cancel();
  armed_for_ = clock::time_point::max();
}

void postponed_answers::arm() {
  if (delayed_.empty() || delayed_.top().due >= armed_for_)
    return;
  armed_for_ = delayed_.top().due;
  timer_.expires_at(armed_for_);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error)
      return;
    armed_for_ = clock::time_point::max();
    // Whatever falls due within the next millisecond goes along, so that answers share writes.
    release_until(clock::now() + std::chrono::milliseconds{1});
    arm();
  });
}

void postponed_answers::release_until(clock::time_point limit) {
  std::vector<waiting> batch;
  for (; !delayed_.empty() && delayed_.top().due <= limit; delayed_.pop())
    batch.push_back(delayed_.top());
  send(batch);
}

void postponed_answers::send(const std::vector<waiting>& batch) {
  for (const auto& item : batch)
    item.connection->send_postponed(item.stream_id);
  for (const auto& item : batch)
    item.connection->flush();
}

} // namespace signalbox::sim
