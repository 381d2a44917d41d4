#include "adapters/store/sqlite/database_file.hpp"

#include "adapters/store/sqlite/migrations.hpp"

#include <spdlog/spdlog.h>
#include <sqlite3.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace signalbox::sqlite {

namespace {

namespace fs = std::filesystem;

// https://www.sqlite.org/fileformat.html, "The Database Header"
constexpr std::string_view magic{"SQLite format 3", 16};
constexpr std::size_t header_size = 100;
constexpr std::size_t version_at = 60;
constexpr std::size_t id_at = 68;

using header = std::array<char, header_size>;

std::uint32_t number_at(const header& bytes, std::size_t offset) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i)
    number = number << 8 | static_cast<unsigned char>(bytes[offset + i]);
  return number;
}

// A file that is `immutable` is read without locks and without its log.
std::string uri_of(const fs::path& path, bool immutable) {
  static constexpr auto* digits = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path.string())
    if (c == '%' || c == '?' || c == '#')
      uri += {'%', digits[c >> 4], digits[c & 15]};
    else
      uri += c;
  return uri + (immutable ? "?immutable=1" : "?mode=ro");
}

struct tables {
  int all = 0; ///< -1: cannot be read
  int ours = 0;
};

tables tables_in(const fs::path& path, bool immutable) {
  sqlite3* handle = nullptr;
  sqlite3_stmt* query = nullptr;
  tables found{-1, 0};
  if (sqlite3_open_v2(uri_of(path, immutable).c_str(), &handle,
                      SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(handle,
                         "SELECT COUNT(*), COUNT(CASE WHEN name IN ('boots', 'counters', 'chunks', "
                         "'topic_tokens', 'job_scopes') THEN 1 END) FROM sqlite_master",
                         -1, &query, nullptr) == SQLITE_OK &&
      sqlite3_step(query) == SQLITE_ROW)
    found = {sqlite3_column_int(query, 0), sqlite3_column_int(query, 1)};
  sqlite3_finalize(query);
  sqlite3_close(handle);
  return found;
}

// A database that ended before its log was first copied back has all in the log: a copy is read.
tables tables_with_log(const fs::path& path) {
  auto name = (fs::temp_directory_path() / "signalbox-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    return {-1, 0};
  const fs::path folder{name};
  std::error_code error;
  tables found{-1, 0};
  if (fs::copy_file(path, folder / "db", error) &&
      fs::copy_file(path.string() + "-wal", folder / "db-wal", error))
    found = tables_in(folder / "db", false);
  fs::remove_all(folder, error);
  return found;
}

bool is_without_id_ours(const fs::path& path) {
  constexpr int own_tables = 5;
  auto found = tables_in(path, true);
  std::error_code error;
  const auto log = fs::file_size(path.string() + "-wal", error);
  if (found.all == 0 && !error && log > 0)
    found = tables_with_log(path);
  return found.all == 0 || found.ours == own_tables;
}

} // namespace

std::optional<refused_file> check_database_file(const std::string& path) {
  std::error_code error;
  const auto file = fs::canonical(path, error);
  if (error)
    return std::nullopt; // it does not exist, or whoever opens it says why it cannot be
  if (!fs::is_regular_file(file))
    return refused_file{errc::unavailable, "is not a file"};
  const auto size = fs::file_size(file, error);
  if (error || size == 0)
    return std::nullopt;
  header bytes{};
  std::ifstream in{file, std::ios::binary};
  if (!in)
    return std::nullopt;
  if (!in.read(bytes.data(), bytes.size()) || std::string_view{bytes.data(), magic.size()} != magic)
    return refused_file{errc::conflict, "is not an SQLite database; nothing was changed"};
  const auto id = number_at(bytes, id_at);
  const auto version = number_at(bytes, version_at);
  if (id != application_id && (id != 0 || !is_without_id_ours(file)))
    return refused_file{errc::conflict, "is the database of another program; nothing was changed"};
  if (version > static_cast<std::uint32_t>(schema_version()))
    return refused_file{errc::conflict,
                        "has schema " + std::to_string(version) + ", this program knows up to " +
                          std::to_string(schema_version()) + "; nothing was changed"};
  return std::nullopt;
}

void make_private(const std::string& path) {
  constexpr mode_t others = S_IRWXG | S_IRWXO;
  if (const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
      made >= 0)
    ::close(made);
  for (const auto* suffix : {"", "-wal", "-shm", ".lock"}) {
    const auto name = path + suffix;
    struct stat status {};
    if (::stat(name.c_str(), &status) != 0 || (status.st_mode & others) == 0)
      continue;
    if (::chmod(name.c_str(), status.st_mode & ~others & 07777) == 0)
      spdlog::warn("event=store_file_made_private path={:?}", name);
    else
      spdlog::warn("event=store_file_not_private path={:?} error={:?}", name, std::strerror(errno));
  }
}

} // namespace signalbox::sqlite
