#include "adapters/store/sqlite/connection.hpp"

#include "adapters/store/sqlite/memory.hpp"

#include <sqlite3.h>

#include <algorithm>

namespace signalbox::sqlite {

namespace {

// Memory statistics cost a lock shared by all connections with every allocation. Too late, and
// harmless, when something else in the process has used SQLite before.
void configure_once() {
  static const int configured = [] {
    keep_small_blocks();
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  }();
  static_cast<void>(configured);
}

[[noreturn]] void fail(sqlite3* handle, std::string_view where) {
  const int code = sqlite3_extended_errcode(handle) & 0xff;
  throw failure{code, std::string{where} + ": " + sqlite3_errmsg(handle)};
}

} // namespace

errc to_errc(int sqlite_code) {
  switch (sqlite_code) {
  case SQLITE_FULL:
    return errc::disk_full;
  case SQLITE_CONSTRAINT:
    return errc::conflict;
  case SQLITE_INTERRUPT:
    return errc::busy;
  case SQLITE_ERROR:
  case SQLITE_MISUSE:
  case SQLITE_RANGE:
  case SQLITE_MISMATCH:
    return errc::internal;
  default:
    return errc::unavailable;
  }
}

bool failure::is_about_rows() const {
  switch (code_) {
  case SQLITE_OK:
  case SQLITE_ERROR:
  case SQLITE_CONSTRAINT:
  case SQLITE_MISMATCH:
  case SQLITE_RANGE:
  case SQLITE_TOOBIG:
    return true;
  default:
    return false;
  }
}

bool failure::is_interruption() const {
  return code_ == SQLITE_INTERRUPT;
}

rows::~rows() {
  sqlite3_reset(statement_);
}

bool rows::next() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW)
    return true;
  if (code != SQLITE_DONE)
    fail(sqlite3_db_handle(statement_), sqlite3_sql(statement_));
  return false;
}

std::int64_t rows::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

bool rows::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::string_view rows::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr
           ? std::string_view{}
           : std::string_view{text,
                              static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view rows::bytes(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return bytes == nullptr
           ? std::string_view{}
           : std::string_view{bytes,
                              static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

timestamp rows::time(int column) const {
  return timestamp{std::chrono::milliseconds{integer(column)}};
}

std::optional<timestamp> rows::optional_time(int column) const {
  return is_null(column) ? std::nullopt : std::optional{time(column)};
}

std::optional<std::int64_t> rows::optional_integer(int column) const {
  return is_null(column) ? std::nullopt : std::optional{integer(column)};
}

uuid rows::id(int column) const {
  uuid id;
  const auto raw = bytes(column);
  std::copy_n(raw.begin(), std::min(raw.size(), id.bytes.size()), id.bytes.begin());
  return id;
}

connection::connection(const std::string& path, const connection_settings& settings) {
  configure_once();
  // Each connection has one thread at a time, so SQLite's own mutexes would only cost.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr) != SQLITE_OK) {
    const failure error{sqlite3_errcode(handle_) & 0xff, path + ": " + sqlite3_errmsg(handle_)};
    close();
    throw error;
  }
  try {
    sqlite3_busy_timeout(handle_, static_cast<int>(settings.busy_timeout.count()));
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("PRAGMA foreign_keys = ON");
    run("PRAGMA temp_store = MEMORY");
    run("PRAGMA cache_size = -" + std::to_string(settings.cache_bytes / 1024));
    run("PRAGMA mmap_size = " + std::to_string(settings.mmap_bytes));
    if (settings.read_only)
      run("PRAGMA query_only = ON");
  } catch (...) {
    close();
    throw;
  }
}

connection::~connection() {
  close();
}

void connection::close() {
  for (const auto& [sql, statement] : statements_)
    sqlite3_finalize(statement);
  statements_.clear();
  sqlite3_close(handle_);
  handle_ = nullptr;
}

void connection::run(const std::string& script) {
  if (sqlite3_exec(handle_, script.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    fail(handle_, script.substr(0, 60));
}

std::string connection::ask(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    fail(handle_, sql);
  std::string answer;
  {
    rows found{statement};
    if (found.next())
      answer = found.text(0);
  }
  sqlite3_finalize(statement);
  return answer;
}

bool connection::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

std::int64_t connection::last_insert_id() const {
  return sqlite3_last_insert_rowid(handle_);
}

sqlite3_stmt* connection::prepared(const char* sql) {
  auto& statement = statements_[sql];
  if (statement == nullptr && sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                                 &statement, nullptr) != SQLITE_OK)
    fail(handle_, sql);
  return statement;
}

int connection::step_once(sqlite3_stmt* statement) {
  int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) // a pragma's answer
    code = SQLITE_DONE;
  if (code != SQLITE_DONE) {
    const failure error{sqlite3_extended_errcode(handle_) & 0xff,
                        std::string{sqlite3_sql(statement)} + ": " + sqlite3_errmsg(handle_)};
    sqlite3_reset(statement);
    throw error;
  }
  const int changed = sqlite3_changes(handle_);
  sqlite3_reset(statement);
  return changed;
}

void connection::bind_integer(sqlite3_stmt* statement, int place, std::int64_t value) {
  sqlite3_bind_int64(statement, place, value);
}

void connection::bind_text(sqlite3_stmt* statement, int place, bool copy, std::string_view text) {
  // A null pointer would bind NULL instead of an empty text.
  sqlite3_bind_text64(statement, place, text.data() == nullptr ? "" : text.data(), text.size(),
                      copy ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8);
}

void connection::bind_blob(sqlite3_stmt* statement, int place, bool copy, std::string_view bytes) {
  sqlite3_bind_blob64(statement, place, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(),
                      copy ? SQLITE_TRANSIENT : SQLITE_STATIC);
}

void connection::bind_null(sqlite3_stmt* statement, int place) {
  sqlite3_bind_null(statement, place);
}

} // namespace signalbox::sqlite
