// SQLite as a store of the suite.

#include "adapters/store/sqlite/sqlite_store.hpp"
#include "tests/contract/store_contract.hpp"

#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <unistd.h>

namespace signalbox::contract {

namespace {

class opened_sqlite final : public opened_store {
public:
  explicit opened_sqlite(std::unique_ptr<sqlite_store> store) : store_{std::move(store)} {}
  void close() override { store_->close(); }
  job_store& jobs() override { return *store_; }
  job_reader& reader() override { return *store_; }
  job_control& control() override { return *store_; }
  dead_letter_office& office() override { return *store_; }
  user_directory& users() override { return *store_; }
  topic_directory& topics() override { return *store_; }
  activity_directory& activities() override { return *store_; }

private:
  std::unique_ptr<sqlite_store> store_;
};

class sqlite_database final : public store_database {
public:
  sqlite_database() {
    auto pattern = (std::filesystem::temp_directory_path() / "signalbox-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~sqlite_database() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<opened_store> open(store_settings settings) override {
    sqlite_options options;
    options.path = folder_ / "signalbox.db";
    options.owner = {"node", make_uuid_v7(settings.now())};
    options.readers = 2;
    options.min_free_bytes = 0;
    const std::chrono::hours ever{1}; // a pass does all it may, however slow the machine
    options.sweep = {ever, ever, ever};
    options.now = settings.now;
    options.fault = [fails = settings.fails] { return fails() ? SQLITE_IOERR : SQLITE_OK; };
    auto opened = sqlite_store::open(std::move(options));
    if (!opened.ok())
      throw std::runtime_error(opened.message);
    return std::make_unique<opened_sqlite>(std::move(opened.value));
  }

private:
  std::filesystem::path folder_;
};

} // namespace

std::vector<store_kind> store_kinds() {
  return {{"sqlite", [] { return std::make_unique<sqlite_database>(); }}};
}

} // namespace signalbox::contract
