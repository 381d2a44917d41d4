// What is answered is on the disk.

#include "tests/adapters/store/store_fixture.hpp"

#include <sys/syscall.h>
#include <unistd.h>

namespace {

std::atomic<int> syncs{0};

} // namespace

// SQLite calls these instead of the C library's.
extern "C" int fsync(int file) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fsync, file));
}
extern "C" int fdatasync(int file) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fdatasync, file));
}

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class durability : public store_fixture {
protected:
  result<std::vector<commit_result>> commit(const new_job& job, bool take) {
    return await<std::vector<commit_result>>([&](auto done) {
      store->commit_jobs({{job, take}}, 15s, std::move(done));
    });
  }

  void add(const char* user, const char* token) {
    await<registration_result>([&](auto done) {
      store->register_tokens(
        default_app, {{user, platform::apns, environment::production, token, {}}}, std::move(done));
    });
  }

  std::unique_ptr<sqlite_store> store = open();
};

TEST_F(durability, a_token_a_job_its_outcomes_and_a_cancel_are_synced_before_the_answer) {
  auto before = syncs.load();
  add("ann", "phone");
  EXPECT_GT(syncs, before) << "a token";
  add("bob", "tablet");
  before = syncs;
  const auto work = commit(job_for("ann"), true).value.at(0).taken.at(0);
  EXPECT_GT(syncs, before) << "a job";
  before = syncs;
  await<flush_result>([&](auto done) { store->flush({{work, {0}, {}, now()}}, std::move(done)); });
  EXPECT_GT(syncs, before) << "an outcome";
  const auto job = job_for("bob");
  commit(job, false);
  before = syncs;
  EXPECT_TRUE(await<job_view>([&](auto done) {
                store->cancel_job(default_app, job.id, std::move(done));
              }).ok());
  EXPECT_GT(syncs, before) << "a cancel";
}

} // namespace
} // namespace signalbox
