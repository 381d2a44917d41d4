#include "actors/stage_directory.hpp"

namespace signalbox {

std::shared_ptr<mailbox_stats> stage_directory::enter(const stage_place& place,
                                                      std::int64_t capacity) {
  auto mailbox = std::make_shared<mailbox_stats>();
  mailbox->capacity = capacity;
  std::lock_guard lock{mutex_};
  auto& slot = slots_[place];
  if (slot.mailbox)
    ++slot.restarts;
  slot.mailbox = mailbox;
  return mailbox;
}

std::vector<stage_entry> stage_directory::list() const {
  std::lock_guard lock{mutex_};
  std::vector<stage_entry> entries;
  entries.reserve(slots_.size());
  for (const auto& [place, slot] : slots_)
    entries.push_back({place, slot.restarts, slot.mailbox});
  return entries;
}

} // namespace signalbox
