#include "actors/breaker_board.hpp"

#include <utility>

namespace signalbox {

void breaker_board::put(breaker_view view) {
  std::lock_guard lock{mutex_};
  if (view.state == breaker_state::closed)
    views_.erase(view.place);
  else
    views_.insert_or_assign(view.place, std::move(view));
}

void breaker_board::clear(const std::string& lane) {
  std::lock_guard lock{mutex_};
  std::erase_if(views_, [&](const auto& entry) { return entry.first.lane == lane; });
}

std::vector<breaker_view> breaker_board::list() const {
  std::lock_guard lock{mutex_};
  std::vector<breaker_view> views;
  views.reserve(views_.size());
  for (const auto& [place, view] : views_)
    views.push_back(view);
  return views;
}

} // namespace signalbox
