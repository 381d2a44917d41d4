#pragma once

namespace signalbox::sqlite {

class connection;

/// The schema that this program reads and writes: the number of its last migration.
int schema_version();

/// Marks the database as ours, and applies the migrations that it lacks, each in a transaction of
/// its own. The caller holds the process lock. Throws schema_too_new, or failure.
void migrate(connection& database);
/// The same up to migration `last`.
void migrate_to(connection& database, int last);

/// The database was written by a newer program.
struct schema_too_new {
  int found = 0;
};

} // namespace signalbox::sqlite
