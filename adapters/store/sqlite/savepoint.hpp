#pragma once

#include "adapters/store/sqlite/connection.hpp"

#include <optional>
#include <string>

namespace signalbox::sqlite {

/// Runs a part of a transaction that may fail alone: what it changed is undone then, the rest of
/// the transaction stays, and the message comes back. Throws what ends the transaction: failures
/// that are not about its rows (failure::is_about_rows).
template <class Part>
std::optional<std::string> try_part(connection& database, Part part) {
  database.execute("SAVEPOINT part");
  try {
    part();
    database.execute("RELEASE part");
    return std::nullopt;
  } catch (const failure& error) {
    if (!error.is_about_rows() || !database.in_transaction())
      throw;
    database.execute("ROLLBACK TO part");
    database.execute("RELEASE part");
    return error.what();
  }
}

/// The same for one statement, which needs no savepoint: one that fails changes nothing, and the
/// transaction goes on.
template <class Statement>
std::optional<std::string> try_statement(connection& database, Statement statement) {
  try {
    statement();
    return std::nullopt;
  } catch (const failure& error) {
    if (!error.is_about_rows() || !database.in_transaction())
      throw;
    return error.what();
  }
}

} // namespace signalbox::sqlite
