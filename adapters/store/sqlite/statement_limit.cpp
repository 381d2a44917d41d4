#include "adapters/store/sqlite/statement_limit.hpp"

#include <sqlite3.h>

namespace signalbox::sqlite {

namespace {

// Virtual machine instructions between two looks at the clock: some ten microseconds.
constexpr int look_every = 1'000;

} // namespace

statement_limit::statement_limit(connection& database, std::chrono::milliseconds most)
  : database_{database}, end_{std::chrono::steady_clock::now() + most} {
  sqlite3_progress_handler(database_.handle(), look_every, is_over, this);
}

statement_limit::~statement_limit() {
  sqlite3_progress_handler(database_.handle(), 0, nullptr, nullptr);
}

int statement_limit::is_over(void* self) {
  return std::chrono::steady_clock::now() >= static_cast<statement_limit*>(self)->end_ ? 1 : 0;
}

} // namespace signalbox::sqlite
