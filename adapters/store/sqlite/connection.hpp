#pragma once

#include "messages/ids.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace signalbox::sqlite {

/// What SQLite refused. Thrown inside this adapter only; the writer and the readers turn it into an
/// errc before it could cross the port.
class failure : public std::exception {
public:
  failure(int code, std::string message) : code_{code}, message_{std::move(message)} {}
  int code() const { return code_; } ///< SQLite's primary result code; 0: a damaged row
  /// Other rows can go on: it is a constraint, a value or a damaged row, and not the disk, memory
  /// or a lock.
  bool is_about_rows() const;
  bool is_interruption() const;
  const char* what() const noexcept override { return message_.c_str(); }

private:
  int code_;
  std::string message_;
};

/// full: disk_full; a constraint: conflict; a time limit: busy; a misuse of SQL: internal; all else
/// unavailable.
errc to_errc(int sqlite_code);

/// Bytes to bind as a BLOB instead of as text.
struct blob {
  std::string_view bytes;
};

/// What every connection is opened with.
struct connection_settings {
  std::chrono::milliseconds busy_timeout{5'000};
  std::int64_t cache_bytes = 8 << 20;
  std::int64_t mmap_bytes = 0;
  bool read_only = false; ///< `query_only`: refuses to write
};

/// A running query: steps through its rows and resets the statement when it goes out of scope.
/// Views are valid until the next step.
class rows {
public:
  explicit rows(sqlite3_stmt* statement) : statement_{statement} {}
  rows(const rows&) = delete;
  rows& operator=(const rows&) = delete;
  ~rows();

  bool next();
  std::int64_t integer(int column) const;
  bool is_null(int column) const;
  std::string_view text(int column) const;
  std::string_view bytes(int column) const;
  timestamp time(int column) const;
  std::optional<timestamp> optional_time(int column) const;
  std::optional<std::int64_t> optional_integer(int column) const;
  uuid id(int column) const;
  template <class Enum>
  Enum as(int column) const {
    return static_cast<Enum>(integer(column));
  }

private:
  sqlite3_stmt* statement_;
};

/// One SQLite connection with its prepared statements, used by one thread at a time. Statements are
/// cached by the address of their text: pass literals or constants only.
class connection {
public:
  /// Opens or creates the database in WAL mode; throws failure.
  connection(const std::string& path, const connection_settings& settings);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Binds copies of the arguments; the same statement must not be running already.
  template <class... Args>
  rows query(const char* sql, const Args&... args) {
    auto* statement = prepared(sql);
    bind_all(statement, true, args...);
    return rows{statement};
  }

  /// Runs a statement that yields no rows; returns how many rows it changed.
  template <class... Args>
  int execute(const char* sql, const Args&... args) {
    auto* statement = prepared(sql);
    bind_all(statement, false, args...);
    return step_once(statement);
  }

  /// The first column of the first row; nothing if there is no row or it is null.
  template <class... Args>
  std::optional<std::int64_t> value(const char* sql, const Args&... args) {
    auto found = query(sql, args...);
    return found.next() ? found.optional_integer(0) : std::nullopt;
  }

  /// Runs a script of statements, uncached.
  void run(const std::string& script);
  /// Reads one value of a pragma or an ad-hoc query as text.
  std::string ask(const std::string& sql);
  std::int64_t last_insert_id() const;
  sqlite3* handle() const { return handle_; }
  /// False after a failure that rolled the transaction back.
  bool in_transaction() const;

private:
  sqlite3_stmt* prepared(const char* sql);
  int step_once(sqlite3_stmt* statement);
  void close();

  template <class... Args>
  void bind_all([[maybe_unused]] sqlite3_stmt* statement, [[maybe_unused]] bool copy,
                const Args&... args) {
    int place = 0;
    (bind(statement, ++place, copy, args), ...);
  }

  template <class T>
  requires std::integral<T>
  void bind(sqlite3_stmt* statement, int place, bool, T value) {
    bind_integer(statement, place, static_cast<std::int64_t>(value));
  }
  template <class T>
  requires std::is_enum_v<T>
  void bind(sqlite3_stmt* statement, int place, bool, T value) {
    bind_integer(statement, place, static_cast<std::int64_t>(value));
  }
  void bind(sqlite3_stmt* statement, int place, bool, timestamp value) {
    bind_integer(statement, place, value.time_since_epoch().count());
  }
  void bind(sqlite3_stmt* statement, int place, bool copy, std::string_view text) {
    bind_text(statement, place, copy, text);
  }
  void bind(sqlite3_stmt* statement, int place, bool copy, const blob& value) {
    bind_blob(statement, place, copy, value.bytes);
  }
  void bind(sqlite3_stmt* statement, int place, bool copy, const uuid& id) {
    bind_blob(statement, place, copy, {reinterpret_cast<const char*>(id.bytes.data()), 16});
  }
  void bind(sqlite3_stmt* statement, int place, bool, std::nullopt_t) {
    bind_null(statement, place);
  }
  template <class T>
  void bind(sqlite3_stmt* statement, int place, bool copy, const std::optional<T>& value) {
    if (value)
      bind(statement, place, copy, *value);
    else
      bind_null(statement, place);
  }

  void bind_integer(sqlite3_stmt* statement, int place, std::int64_t value);
  void bind_text(sqlite3_stmt* statement, int place, bool copy, std::string_view text);
  void bind_blob(sqlite3_stmt* statement, int place, bool copy, std::string_view bytes);
  void bind_null(sqlite3_stmt* statement, int place);

  sqlite3* handle_ = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

} // namespace signalbox::sqlite
