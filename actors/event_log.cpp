#include "actors/event_log.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

namespace signalbox {

event_log::event_log(std::string run, std::size_t most_bytes)
  : run_{std::move(run)}, most_bytes_{most_bytes} {}

live_event event_log::with_id(live_event event, std::uint64_t number) const {
  event.text = std::make_shared<const std::string>("id: " + id_of(number) + "\n" + *event.text);
  return event;
}

std::optional<live_event> event_log::append(live_event event) {
  const auto hash = std::hash<std::string>{}(*event.text);
  auto& known = newest_[event.about];
  if (known.number > 0 && known.body == hash)
    return std::nullopt;
  known = {++last_, hash};
  event = with_id(std::move(event), last_);
  bytes_ += event.text->size();
  entries_.push_back({last_, event});
  while (bytes_ > most_bytes_ && !entries_.empty()) {
    const auto& oldest = entries_.front();
    bytes_ -= oldest.event.text->size();
    forgotten_ = oldest.number;
    if (const auto found = newest_.find(oldest.event.about);
        found != newest_.end() && found->second.number == oldest.number)
      newest_.erase(found);
    entries_.pop_front();
  }
  return event;
}

std::optional<std::vector<live_event>> event_log::since(std::string_view id) const {
  const auto number = number_of(id);
  if (!number || *number > last_ || *number < forgotten_)
    return std::nullopt;
  const auto first =
    std::upper_bound(entries_.begin(), entries_.end(), *number,
                     [](std::uint64_t n, const entry& each) { return n < each.number; });
  std::vector<live_event> missed;
  for (auto each = first; each != entries_.end(); ++each)
    if (!each->event.narrow && newest_.at(each->event.about).number == each->number)
      missed.push_back(each->event);
  return missed;
}

std::optional<live_event> event_log::newest(const std::string& about) const {
  const auto found = newest_.find(about);
  const auto* at = found == newest_.end() ? nullptr : find(found->second.number);
  return at ? std::optional{at->event} : std::nullopt;
}

bool event_log::was_final(std::string_view id, std::string_view about) const {
  const auto number = number_of(id);
  const auto* at = number ? find(*number) : nullptr;
  return at && at->event.final && at->event.about == about;
}

const event_log::entry* event_log::find(std::uint64_t number) const {
  const auto found =
    std::lower_bound(entries_.begin(), entries_.end(), number,
                     [](const entry& each, std::uint64_t n) { return each.number < n; });
  return found != entries_.end() && found->number == number ? &*found : nullptr;
}

std::string event_log::id_of(std::uint64_t number) const {
  return run_ + "-" + std::to_string(number);
}

std::optional<std::uint64_t> event_log::number_of(std::string_view id) const {
  if (id.size() <= run_.size() + 1 || id.substr(0, run_.size()) != run_ || id[run_.size()] != '-')
    return std::nullopt;
  id.remove_prefix(run_.size() + 1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  return error == std::errc{} && end == id.data() + id.size() ? std::optional{number}
                                                              : std::nullopt;
}

} // namespace signalbox
