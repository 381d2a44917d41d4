#include "actors/failure_run.hpp"

#include <utility>

namespace signalbox {

standing failure_run::judge(bool success, unsigned failures, bool blocked) {
  if (success) {
    succeed();
    return standing::working;
  }
  if (failures == 0)
    return works_ ? standing::unsure : standing::failing;
  const auto before = std::exchange(works_, false) ? standing::unsure : standing::failing;
  length_ += failures;
  return blocked || length_ >= threshold_ ? standing::down : before;
}

void failure_run::remember(const retry_ref& charged) {
  if (charged_.size() < threshold_)
    charged_.push_back(charged);
}

std::vector<retry_ref> failure_run::take_charged() {
  return std::exchange(charged_, {});
}

void failure_run::succeed() {
  works_ = true;
  length_ = 0;
  charged_.clear();
}

} // namespace signalbox
