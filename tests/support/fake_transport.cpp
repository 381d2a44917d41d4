#include "tests/support/fake_transport.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace signalbox {

void fake_transport::on_answers(std::function<void(std::vector<answer_batch>)> sink) {
  sink_ = std::move(sink);
}

void fake_transport::submit(work_ptr of, std::uint32_t first, std::uint32_t count) {
  if (std::exchange(throwing_, false))
    throw std::runtime_error("the transport was told to throw");
  submissions.push_back({of, first, count});
  for (std::uint32_t i = 0; i < count; ++i)
    open.push_back({of, first + i});
}

void fake_transport::stop(std::function<void()> done) {
  stopped = true;
  stop_done_ = std::move(done);
  finish_stop();
}

void fake_transport::withdraw(work_ptr of) {
  answer_batch back{of, {}, {}};
  for (auto it = open.begin() + static_cast<std::ptrdiff_t>(std::min(streams, open.size()));
       it != open.end();) {
    if (it->of != of) {
      ++it;
      continue;
    }
    auto unsent = unsent_answer();
    unsent.position = it->position;
    unsent.reason = withdrawn;
    back.others.push_back(std::move(unsent));
    it = open.erase(it);
  }
  if (!back.others.empty() && sink_)
    sink_({std::move(back)});
}

void fake_transport::answer_next(std::size_t count, const script& how) {
  std::vector<answer_batch> batches;
  for (; count > 0 && !open.empty(); --count) {
    const auto next = std::move(open.front());
    open.pop_front();
    auto found = std::find_if(batches.begin(), batches.end(),
                              [&](const auto& batch) { return batch.of == next.of; });
    if (found == batches.end())
      found = batches.insert(batches.end(), answer_batch{next.of, {}, {}});
    auto ended = how ? how(next) : std::nullopt;
    if (!ended) {
      found->accepted.push_back(next.position);
    } else {
      ended->position = next.position;
      found->others.push_back(std::move(*ended));
    }
  }
  if (!batches.empty() && sink_)
    sink_(std::move(batches));
  finish_stop();
}

void fake_transport::finish_stop() {
  if (!stop_done_ || !open.empty())
    return;
  sink_ = nullptr;
  std::exchange(stop_done_, nullptr)();
}

answer status_answer(std::uint16_t status, std::string reason) {
  answer made;
  made.status = status;
  made.reason = std::move(reason);
  return made;
}

answer unknown_answer() {
  answer made;
  made.kind = answer_kind::unknown;
  made.reason = "timeout";
  return made;
}

answer unsent_answer() {
  answer made;
  made.kind = answer_kind::unsent;
  made.reason = "refused_stream";
  return made;
}

answer no_connection_answer() {
  answer made;
  made.kind = answer_kind::unsent;
  made.reason = "no_connection";
  return made;
}

verdict simple_verdict(const answer& of) {
  verdict made;
  made.reason = of.reason;
  if (of.kind == answer_kind::unsent)
    made.what = verdict::action::unsent;
  else if (of.kind == answer_kind::unknown)
    made.what = verdict::action::unknown;
  else if (of.status == 429 || of.status >= 500)
    made.what = verdict::action::retry;
  if (of.kind == answer_kind::unknown || of.status >= 500 || of.reason == "no_connection")
    made.trouble = trouble::outage;
  if (of.kind == answer_kind::unsent && of.reason == "no_credentials")
    made.trouble = trouble::configuration;
  if (of.status == 403) {
    made.what = verdict::action::retry;
    made.trouble = trouble::configuration;
  }
  if (of.status == 410)
    made.invalidate = invalidation::unregistered;
  if (of.status == 400)
    made.invalidate = invalidation::bad_token;
  if (of.retry_after_s > 0)
    made.retry_after = std::chrono::seconds{of.retry_after_s};
  return made;
}

} // namespace signalbox
