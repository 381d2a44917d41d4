#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/migrations.hpp"
#include "adapters/store/sqlite/sqlite_store.hpp"
#include "tests/adapters/store/store_fixture.hpp"
#include "tests/support/log_capture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <future>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

// Of this process.
std::size_t open_descriptors_of(const std::string& file) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    std::error_code gone;
    count += std::filesystem::read_symlink(entry.path(), gone) == file ? 1 : 0;
  }
  return count;
}

class sqlite_store_test : public store_fixture {
protected:
  result<std::vector<commit_result>> commit(sqlite_store& store, scope_kind kind,
                                            std::string name) {
    auto job = job_for({});
    job.scope = {kind, std::move(name), {}, {}};
    return await<std::vector<commit_result>>([&](auto done) {
      store.commit_jobs({{job, true}}, 15s, std::move(done));
    });
  }
};

TEST_F(sqlite_store_test, a_second_node_is_told_that_another_holds_the_lock) {
  const auto first = open();
  const auto second = sqlite_store::open(options());
  EXPECT_EQ(second.code, errc::busy);
  EXPECT_THAT(second.message, testing::HasSubstr("signalbox.db.lock"));
}

TEST_F(sqlite_store_test, another_name_of_the_database_is_the_same_lock) {
  const auto first = open();
  auto linked = options();
  const auto folder = std::filesystem::path{linked.path}.parent_path();
  std::filesystem::create_symlink("signalbox.db", folder / "first");
  std::filesystem::create_symlink(folder / "first", folder / "second");
  linked.path = folder / "second";
  const auto second = sqlite_store::open(linked);
  EXPECT_EQ(second.code, errc::busy);
  EXPECT_THAT(second.message, testing::HasSubstr("signalbox.db.lock"));
}

TEST_F(sqlite_store_test, links_in_a_circle_are_no_database) {
  auto linked = options();
  const auto folder = std::filesystem::path{linked.path}.parent_path();
  std::filesystem::create_symlink("second", folder / "first");
  std::filesystem::create_symlink("first", folder / "second");
  linked.path = folder / "first";
  EXPECT_EQ(sqlite_store::open(linked).code, errc::unavailable);
}

TEST_F(sqlite_store_test, a_second_node_waits_for_one_that_is_just_ending) {
  auto first = open();
  auto patient = options();
  patient.lock_wait = 60s;
  auto second = std::async(std::launch::async, [&] { return sqlite_store::open(patient); });
  while (open_descriptors_of(patient.path + ".lock") < 2)
    std::this_thread::yield(); // until it has the file that the lock is on
  first.reset();
  EXPECT_TRUE(second.get().ok());
}

TEST_F(sqlite_store_test, a_dead_process_holds_no_lock) {
  const auto child = ::fork();
  if (child == 0) {
    auto held = sqlite_store::open(options());
    ::_exit(held.ok() ? 0 : 1); // without any ending, as kill -9 leaves it
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  open();
}

TEST_F(sqlite_store_test, other_tools_can_read_and_back_up_meanwhile) {
  const auto store = open();
  sqlite::connection tool{options().path, {}};
  EXPECT_EQ(tool.ask("SELECT name FROM apps"), "default");
  tool.run("VACUUM INTO '" + folder.file("backup.db") + "'");
  EXPECT_TRUE(std::filesystem::exists(folder.file("backup.db")));
}

TEST_F(sqlite_store_test, a_newer_database_is_refused) {
  open();
  {
    sqlite::connection database{options().path, {}};
    EXPECT_EQ(database.ask("PRAGMA user_version"), std::to_string(sqlite::schema_version()));
    database.run("PRAGMA user_version = 999");
  }
  const auto refused = sqlite_store::open(options());
  EXPECT_EQ(refused.code, errc::conflict);
  EXPECT_THAT(refused.message, testing::HasSubstr("999"));
}

TEST_F(sqlite_store_test, a_file_that_is_no_database_is_refused) {
  ASSERT_EQ(
    ::system(
      ("echo 'this is not a database at all, whatever its name' > " + options().path).c_str()),
    0);
  const auto refused = sqlite_store::open(options());
  EXPECT_EQ(refused.code, errc::conflict);
  EXPECT_THAT(refused.message, testing::HasSubstr("signalbox.db"));
}

TEST_F(sqlite_store_test, a_folder_that_does_not_exist_is_named) {
  auto wrong = options();
  wrong.path = "/nowhere/at/all/signalbox.db";
  const auto refused = sqlite_store::open(wrong);
  EXPECT_EQ(refused.code, errc::unavailable);
  EXPECT_THAT(refused.message, testing::HasSubstr("/nowhere/at/all"));
}

TEST_F(sqlite_store_test, without_room_on_the_disk_new_rows_are_refused_and_outcomes_are_not) {
  work_ptr work;
  {
    const auto store = open();
    await<registration_result>([&](auto done) {
      store->register_tokens(default_app,
                             {{"ann", platform::apns, environment::production, "phone", {}}},
                             std::move(done));
    });
    EXPECT_TRUE(commit(*store, scope_kind::user, "ann").ok());
  }
  auto full = options();
  full.min_free_bytes = std::int64_t{1} << 60;
  const tests::log_capture log;
  const auto store = std::move(sqlite_store::open(full).value);
  for (int i = 0; i < 3; ++i)
    EXPECT_FALSE(store->disk().has_room);
  EXPECT_GT(store->disk().free_bytes, 0);
  EXPECT_EQ(store->disk().min_free_bytes, full.min_free_bytes);
  EXPECT_THAT(log.text(), testing::HasSubstr("event=disk_short free="));
  EXPECT_EQ(commit(*store, scope_kind::user, "ann").code, errc::disk_full);
  EXPECT_EQ(await<replay_result>([&](auto done) {
              store->replay_dead_letters({}, false, std::move(done));
            }).code,
            errc::disk_full);
  EXPECT_EQ(await<registration_result>([&](auto done) {
              store->register_tokens(
                default_app, {{"bob", platform::apns, environment::production, "tablet", {}}},
                std::move(done));
            }).code,
            errc::disk_full);
  EXPECT_EQ(await<put_outcome>([&](auto done) {
              store->put_user(default_app, "bob", std::move(done));
            }).code,
            errc::disk_full);
  EXPECT_EQ(await<put_outcome>([&](auto done) {
              store->put_topic(default_app, "news", {}, std::move(done));
            }).code,
            errc::disk_full);
  EXPECT_EQ(await<put_outcome>([&](auto done) {
              store->subscribe(default_app, "ann", "news", std::move(done));
            }).code,
            errc::disk_full);
  EXPECT_EQ(await<put_outcome>([&](auto done) {
              store->subscribe_activities(default_app, "ann", "news", std::move(done));
            }).code,
            errc::disk_full);
  activity_token_registration token;
  token.user = "ann";
  token.token = "aa11";
  EXPECT_EQ(await<put_outcome>([&](auto done) {
              store->register_activity_token(default_app, token, std::move(done));
            }).code,
            errc::disk_full);
  const auto claimed = await<claim_result>([&](auto done) {
    store->claim({"push", {{{}, 10}}, 64, 15s}, std::move(done));
  });
  ASSERT_EQ(claimed.value.works.size(), 1u);
  EXPECT_TRUE(await<flush_result>([&](auto done) {
                store->flush({{claimed.value.works[0], {0}, {}, {}}}, std::move(done));
              }).ok());
}

TEST_F(sqlite_store_test, ids_are_never_given_again) {
  const auto store = open();
  const auto add = [&](const char* user, const char* token) {
    await<registration_result>([&](auto done) {
      store->register_tokens(default_app,
                             {{user, platform::apns, environment::production, token, {"news"}}},
                             std::move(done));
    });
    return commit(*store, scope_kind::user, user).value.at(0).taken.at(0)->targets.at(0).id;
  };
  const auto first = add("ann", "phone");
  await<unit>([&](auto done) { store->delete_user(default_app, "ann", std::move(done)); });
  EXPECT_GT(add("bob", "tablet"), first);
}

/// How often the log was started over: its header's checkpoint sequence number.
std::uint32_t times_started_over(const std::string& log) {
  std::ifstream file{log, std::ios::binary};
  file.seekg(12);
  std::array<unsigned char, 4> bytes{};
  file.read(reinterpret_cast<char*>(bytes.data()), bytes.size());
  return std::uint32_t{bytes[0]} << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

// However many rounds that takes where the thread that copies it hardly runs.
TEST_F(sqlite_store_test, the_log_is_written_back_while_the_store_works) {
  const auto store = open();
  const auto log = options().path + "-wal";
  const auto before = times_started_over(log);
  int round = 0;
  const auto is_written_back = [&] {
    return times_started_over(log) > before && std::filesystem::file_size(options().path) > 10u
                                                                                              << 20;
  };
  for (; round < 400 && !is_written_back(); ++round) {
    std::vector<token_registration> tokens;
    for (int i = 0; i < 2'000; ++i)
      tokens.push_back({"u" + std::to_string(round * 2'000 + i),
                        platform::apns,
                        environment::production,
                        std::string(60, 't') + std::to_string(round * 2'000 + i),
                        {"news"}});
    ASSERT_TRUE(await<registration_result>([&](auto done) {
                  store->register_tokens(default_app, std::move(tokens), std::move(done));
                }).ok());
  }
  EXPECT_TRUE(is_written_back()) << "after " << round << " rounds, and a log of "
                                 << std::filesystem::file_size(log);
}

} // namespace
} // namespace signalbox
