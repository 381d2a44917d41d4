#include "adapters/http/answer_queue.hpp"

#include <utility>

namespace signalbox::http {

std::uint64_t answer_queue::open(const framing& frame) {
  exchanges_.push_back({frame});
  reads_ += frame.reads ? 1 : 0;
  return last();
}

void answer_queue::answer(std::uint64_t number, response reply) {
  if (auto* one = find(number); one != nullptr && !one->answer) {
    bytes_ += reply.body.size();
    one->answer = std::move(reply);
  }
}

void answer_queue::close_after(std::uint64_t number) {
  if (auto* one = find(number))
    one->frame.keep_alive = false;
}

void answer_queue::set_deadline(std::uint64_t number, answer_deadline deadline) {
  if (auto* one = find(number))
    one->deadline = std::move(deadline);
}

bool answer_queue::answer_late(std::chrono::steady_clock::time_point now) {
  bool any = false;
  for (auto& one : exchanges_)
    if (!one.answer && one.deadline && now >= one.deadline->at) {
      bytes_ += one.deadline->late.body.size();
      one.answer = std::move(one.deadline->late);
      any = true;
    }
  return any;
}

bool answer_queue::write_ready(std::string_view date, bool finish, std::size_t enough,
                               std::string& out, std::optional<open_stream>& stream) {
  while (has_ready() && out.size() < enough) {
    auto& front = exchanges_.front();
    if (front.answer->stream || (finish && exchanges_.size() == 1))
      front.frame.keep_alive = false;
    bool closes = !front.frame.keep_alive;
    bytes_ -= front.answer->body.size();
    reads_ -= front.frame.reads ? 1 : 0;
    serialize(*front.answer, front.frame, date, out);
    if (front.answer->stream && !front.frame.head)
      stream = {first_, front.frame, std::move(front.answer->stream)};
    exchanges_.pop_front();
    ++first_;
    if (closes)
      return true;
  }
  return false;
}

answer_queue::exchange* answer_queue::find(std::uint64_t number) {
  auto place = number - first_;
  return place < exchanges_.size() ? &exchanges_[place] : nullptr;
}

} // namespace signalbox::http
