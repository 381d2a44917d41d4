#pragma once

#include "adapters/store/sqlite/connection.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace signalbox::sqlite {

using lane_number = std::int64_t;

/// Numbers for the names of lanes, as the tables keep them. Thread-safe.
class lane_names {
public:
  /// The lane's number; nothing if no job ever named it.
  std::optional<lane_number> find(connection& database, const std::string& name);
  /// The lane's number, given to it now if it has none. In the writer's transaction only.
  lane_number number_of(connection& database, const std::string& name);
  /// After a rollback: a number given in it does not exist.
  void forget();

private:
  std::mutex mutex_;
  std::unordered_map<std::string, lane_number> numbers_;
};

} // namespace signalbox::sqlite
