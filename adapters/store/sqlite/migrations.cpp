#include "adapters/store/sqlite/migrations.hpp"

#include "adapters/store/sqlite/connection.hpp"

#include <array>
#include <string>

namespace signalbox::sqlite {

namespace {

// Number n is at place n - 1. A released migration is never changed, only followed by another.
constexpr std::array migrations{
#include "adapters/store/sqlite/migrations/0001_push_ledger.sql"
  ,
#include "adapters/store/sqlite/migrations/0002_live_activities.sql"
  ,
#include "adapters/store/sqlite/migrations/0003_references.sql"
};

} // namespace

int schema_version() {
  return static_cast<int>(migrations.size());
}

void migrate(connection& database) {
  const int found = std::stoi(database.ask("PRAGMA user_version"));
  if (found > schema_version())
    throw schema_too_new{found};
  for (int number = found + 1; number <= schema_version(); ++number)
    database.run("BEGIN IMMEDIATE;" + std::string{migrations[number - 1]} +
                 "; PRAGMA user_version = " + std::to_string(number) + "; COMMIT;");
}

} // namespace signalbox::sqlite
