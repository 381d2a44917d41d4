#pragma once

#include "adapters/store/sqlite/connection.hpp"

#include <chrono>

namespace signalbox::sqlite {

/// Ends what runs on the connection longer than `most` from now, while it is in scope: the
/// statement fails with SQLITE_INTERRUPT, which rolls its transaction back if it was writing.
class statement_limit {
public:
  statement_limit(connection& database, std::chrono::milliseconds most);
  ~statement_limit();
  statement_limit(const statement_limit&) = delete;
  statement_limit& operator=(const statement_limit&) = delete;

private:
  static int is_over(void* self);

  connection& database_;
  std::chrono::steady_clock::time_point end_;
};

} // namespace signalbox::sqlite
