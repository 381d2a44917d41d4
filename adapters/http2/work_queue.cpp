#include "adapters/http2/work_queue.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace signalbox {

void work_queue::push(const work_ptr& of, std::uint32_t first, std::uint32_t count,
                      clock::time_point now) {
  if (count == 0)
    return;
  auto& active = works_[of.get()];
  if (!active) {
    active = std::make_unique<active_work>();
    active->of_ = of;
  }
  active->ranges_.push_back({first, first + count, now});
  waiting_ += count;
  enqueue(*active);
}

void work_queue::enqueue(active_work& of) {
  if (std::exchange(of.in_turn_, true))
    return;
  turns_.push_back(&of);
  if (turns_.size() == 1)
    left_in_slice_ = slice_;
}

work_queue::pick work_queue::next() {
  auto* from = turns_.front();
  pick picked{from, 0, 0};
  if (!from->again_.empty()) {
    picked.position = from->again_.back().position;
    picked.tries = from->again_.back().tries;
    from->again_.pop_back();
  } else {
    auto& range = from->ranges_.front();
    picked.position = range.next++;
    if (range.next == range.end)
      from->ranges_.erase(from->ranges_.begin());
  }
  --waiting_;
  ++under_way_;
  ++from->under_way_;
  const bool waits = from->waits();
  if (!waits || --left_in_slice_ == 0) {
    turns_.pop_front();
    if (waits)
      turns_.push_back(from);
    from->in_turn_ = waits;
    left_in_slice_ = slice_;
  }
  return picked;
}

void work_queue::mark_answered(active_work& of) {
  --of.under_way_;
  --under_way_;
  if (!std::exchange(of.has_answers_, true))
    answered_.push_back(&of);
}

void work_queue::accept(active_work& from, std::uint32_t position) {
  from.answers_.accepted.push_back(position);
  mark_answered(from);
}

void work_queue::refuse(active_work& from, answer other) {
  from.answers_.others.push_back(std::move(other));
  mark_answered(from);
}

void work_queue::resend(const pick& unsent, clock::time_point now) {
  auto& from = *unsent.from;
  from.again_.push_back({unsent.position, unsent.tries, now});
  --from.under_way_;
  --under_way_;
  ++waiting_;
  enqueue(from);
}

void work_queue::refuse_waiting(active_work& of, clock::time_point before, std::string_view why) {
  const auto refuse_unsent = [&](std::uint32_t position) {
    --waiting_;
    ++under_way_;
    ++of.under_way_;
    answer unsent;
    unsent.position = position;
    unsent.kind = answer_kind::unsent;
    unsent.reason = why;
    refuse(of, std::move(unsent));
  };
  std::erase_if(of.again_, [&](const auto& one) {
    const bool late = one.since <= before;
    if (late)
      refuse_unsent(one.position);
    return late;
  });
  std::erase_if(of.ranges_, [&](const auto& range) {
    const bool late = range.since <= before;
    for (auto at = range.next; late && at < range.end; ++at)
      refuse_unsent(at);
    return late;
  });
  of.in_turn_ = of.waits();
}

void work_queue::give_up(clock::time_point before, std::string_view why) {
  for (auto* of : turns_)
    refuse_waiting(*of, before, why);
  std::erase_if(turns_, [](const auto* of) { return !of->in_turn_; });
  left_in_slice_ = slice_;
}

void work_queue::withdraw(const work& of, std::string_view why) {
  const auto known = works_.find(&of);
  if (known == works_.end() || !known->second->in_turn_)
    return;
  const bool has_turn = turns_.front() == known->second.get();
  refuse_waiting(*known->second, clock::time_point::max(), why);
  std::erase(turns_, known->second.get());
  if (has_turn)
    left_in_slice_ = slice_;
}

void work_queue::take_answers(std::vector<answer_batch>& out) {
  for (auto* of : std::exchange(answered_, {})) {
    of->has_answers_ = false;
    of->answers_.of = of->of_;
    out.push_back(std::exchange(of->answers_, {}));
    if (!of->waits() && of->under_way_ == 0)
      works_.erase(of->of_.get());
  }
}

} // namespace signalbox
