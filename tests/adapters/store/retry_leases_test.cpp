#include "adapters/store/sqlite/retry_leases.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace signalbox::sqlite {
namespace {

using testing::ElementsAre;

using namespace std::chrono_literals;

class retry_leases_test : public testing::Test {
protected:
  static constexpr job_number job = 7;
  static constexpr timestamp start{1'700'000'000'000ms};
  const lane_pool place{1, 2, 17};

  retry_leases_test() { leases.begin(40, job, place, {{1, 5}, {2, 6}}, start + 15s); }

  retry_leases leases;
};

TEST_F(retry_leases_test, a_row_is_held_under_its_epoch_alone) {
  EXPECT_TRUE(leases.is_leased({job, 1}));
  EXPECT_FALSE(leases.is_leased({job, 3}));
  EXPECT_FALSE(leases.is_leased({job + 1, 1}));
  EXPECT_EQ(leases.chunk_of({job, 2}, 40), 6u);
  EXPECT_FALSE(leases.chunk_of({job, 2}, 41));
  EXPECT_FALSE(leases.chunk_of({job, 3}, 40));
}

TEST_F(retry_leases_test, ends_row_by_row) {
  leases.end({{job, 1}, {job, 1}, {job, 9}});
  EXPECT_FALSE(leases.is_leased({job, 1}));
  EXPECT_EQ(leases.count(place), 1u);
  const auto left = leases.find(job, 40);
  ASSERT_TRUE(left);
  EXPECT_THAT(left->tokens, ElementsAre(2));
  EXPECT_EQ(left->place, place);
  leases.end({{job, 2}});
  EXPECT_FALSE(leases.find(job, 40));
  EXPECT_EQ(leases.next_expiry(), timestamp::max());
}

TEST_F(retry_leases_test, is_found_by_its_job_and_epoch_only) {
  EXPECT_TRUE(leases.find(job, 40));
  EXPECT_FALSE(leases.find(job + 1, 40));
  EXPECT_FALSE(leases.find(job, 41));
  EXPECT_FALSE(leases.renew(job + 1, 40, start + 1h));
  EXPECT_FALSE(leases.release(job + 1, 40));
  EXPECT_EQ(leases.next_expiry(), start + 15s);
}

TEST_F(retry_leases_test, expires_by_its_last_renewal) {
  EXPECT_TRUE(leases.renew(job, 40, start + 30s));
  EXPECT_FALSE(leases.expire(start + 30s - 1ms));
  EXPECT_TRUE(leases.is_leased({job, 1}));
  EXPECT_TRUE(leases.expire(start + 30s));
  EXPECT_FALSE(leases.is_leased({job, 1}));
  EXPECT_FALSE(leases.renew(job, 40, start + 1h));
}

TEST_F(retry_leases_test, a_row_that_was_leased_again_is_left_to_its_new_lease) {
  leases.begin(41, job, place, {{2, 5}}, start + 1h);
  EXPECT_TRUE(leases.release(job, 40));
  EXPECT_FALSE(leases.is_leased({job, 1}));
  EXPECT_TRUE(leases.chunk_of({job, 2}, 41));
}

TEST_F(retry_leases_test, is_counted_for_its_destination) {
  leases.begin(41, job, {1, 2, 18}, {{3, 5}}, start + 15s);
  EXPECT_EQ(leases.count(place), 2u);
  EXPECT_EQ(leases.count({1, 2, 18}), 1u);
  EXPECT_EQ(leases.count({1, 3, 17}), 0u);
}

TEST_F(retry_leases_test, tells_the_devices_that_a_job_has_requests_to) {
  leases.begin(41, job, {1, 2, 18}, {{3, 5}}, start + 15s);
  leases.end({{job, 1}});
  EXPECT_EQ(leases.tokens_of(job, 17), (std::vector<token_id>{2}));
  EXPECT_EQ(leases.tokens_of(job, 18), (std::vector<token_id>{3}));
  EXPECT_TRUE(leases.tokens_of(job + 1, 17).empty());
}

TEST_F(retry_leases_test, follows_the_clock) {
  leases.put_back(10s);
  EXPECT_EQ(leases.next_expiry(), start + 5s);
}

} // namespace
} // namespace signalbox::sqlite
