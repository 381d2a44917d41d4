#include "actors/breaker_board.hpp"

#include <utility>

namespace signalbox {

std::string_view to_string(breaker_kind value) {
  switch (value) {
  case breaker_kind::outage:
    return "outage";
  case breaker_kind::configuration:
    return "configuration";
  case breaker_kind::token_storm:
    return "token_storm";
  }
  return "?";
}

std::string_view to_string(breaker_state value) {
  switch (value) {
  case breaker_state::closed:
    return "closed";
  case breaker_state::open:
    return "open";
  case breaker_state::probing:
    return "probing";
  case breaker_state::ramping:
    return "ramping";
  }
  return "?";
}

std::optional<breaker_kind> parse_breaker_kind(std::string_view text) {
  for (const auto kind :
       {breaker_kind::outage, breaker_kind::configuration, breaker_kind::token_storm})
    if (to_string(kind) == text)
      return kind;
  return std::nullopt;
}

void breaker_board::put(breaker_view view) {
  std::lock_guard lock{mutex_};
  if (view.state == breaker_state::closed)
    views_.erase(view.place);
  else
    views_.insert_or_assign(view.place, std::move(view));
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
