#include "adapters/store/sqlite/migrations.hpp"

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/database_file.hpp"

#include <spdlog/spdlog.h>

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
  ,
#include "adapters/store/sqlite/migrations/0004_counts.sql"
  ,
#include "adapters/store/sqlite/migrations/0005_orphans.sql"
  ,
#include "adapters/store/sqlite/migrations/0006_receipt_origin.sql"
  ,
#include "adapters/store/sqlite/migrations/0007_fewer_job_indexes.sql"
  ,
#include "adapters/store/sqlite/migrations/0008_receipts_counted_together.sql"
};

} // namespace

int schema_version() {
  return static_cast<int>(migrations.size());
}

void migrate(connection& database) {
  migrate_to(database, schema_version());
}

void migrate_to(connection& database, int last) {
  const int found = std::stoi(database.ask("PRAGMA user_version"));
  if (found > schema_version())
    throw schema_too_new{found};
  if (std::stoi(database.ask("PRAGMA application_id")) != application_id)
    database.run("PRAGMA application_id = " + std::to_string(application_id));
  for (int number = found + 1; number <= last; ++number) {
    if (found > 0)
      spdlog::info("event=store_migration step={} of={}", number, last);
    database.run("BEGIN IMMEDIATE;" + std::string{migrations[number - 1]} +
                 "; PRAGMA user_version = " + std::to_string(number) + "; COMMIT;");
  }
}

} // namespace signalbox::sqlite
