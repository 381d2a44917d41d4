// A sweeper's pass that has no time left.

#include "tests/adapters/store/store_fixture.hpp"

#include <vector>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class sweep_times_test : public store_fixture {
protected:
  sweep_times_test() {
    auto hasty = options();
    hasty.sweep = {0ms, 0ms, 1h};
    store = std::move(sqlite_store::open(hasty).value);
    await<registration_result>([&](auto done) {
      store->register_tokens(default_app,
                             {{"ann", platform::apns, environment::production, "phone", {}}},
                             std::move(done));
    });
  }

  sweep_result sweep() {
    return await<sweep_result>([&](auto done) {
             store->sweep({"push", 100}, std::move(done));
           })
      .value;
  }

  /// What `count` passes did together.
  template <class Number>
  std::size_t sum(Number sweep_result::*of, int count) {
    std::size_t sum = 0;
    for (int pass = 0; pass < count; ++pass)
      sum += sweep().*of;
    return sum;
  }

  std::unique_ptr<sqlite_store> store;
};

TEST_F(sweep_times_test, each_of_its_steps_gets_on) {
  std::vector<job_submission> jobs;
  for (int i = 0; i < 3; ++i) {
    jobs.push_back({job_for("ann"), false});
    jobs.back().job.not_before = now() + 1s;
    jobs.back().job.options.expires_at = now() + 1h;
  }
  ASSERT_TRUE(await<std::vector<commit_result>>([&](auto done) {
                store->commit_jobs(jobs, 15s, std::move(done));
              }).ok());
  advance(1s);
  EXPECT_EQ(sum(&sweep_result::released, 3), 3u);
  advance(2h);
  EXPECT_EQ(sum(&sweep_result::expired, 3), 3u);
  for (int pass = 0; pass < 3; ++pass) // closes them
    sweep();
  for (const auto& each : jobs)
    EXPECT_TRUE(await<job_view>([&](auto done) {
                  store->get_job(default_app, each.job.id, std::move(done));
                }).value.completed_at);
  advance(31 * 24h);
  EXPECT_EQ(sum(&sweep_result::deleted, 10), 3u);
}

} // namespace
} // namespace signalbox
