#include "adapters/store/sqlite/lane_names.hpp"

namespace signalbox::sqlite {

std::optional<lane_number> lane_names::find(connection& database, const std::string& name) {
  {
    std::lock_guard lock{mutex_};
    if (const auto it = numbers_.find(name); it != numbers_.end())
      return it->second;
  }
  const auto number = database.value("SELECT id FROM lanes WHERE name = ?", name);
  if (number) {
    std::lock_guard lock{mutex_};
    numbers_[name] = *number;
  }
  return number;
}

lane_number lane_names::number_of(connection& database, const std::string& name) {
  if (const auto known = find(database, name))
    return *known;
  database.execute("INSERT INTO lanes(name) VALUES(?)", name);
  const auto number = database.last_insert_id();
  std::lock_guard lock{mutex_};
  numbers_[name] = number;
  return number;
}

void lane_names::forget() {
  std::lock_guard lock{mutex_};
  numbers_.clear();
}

} // namespace signalbox::sqlite
