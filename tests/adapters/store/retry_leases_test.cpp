#include "adapters/store/sqlite/retry_leases.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace signalbox::sqlite {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;
using testing::IsEmpty;
using testing::SizeIs;

using namespace std::chrono_literals;

class retry_leases_test : public testing::Test {
protected:
  static constexpr job_number job = 7;
  static constexpr timestamp start{1'700'000'000'000ms};
  const lane_pool place{1, 2, 17};

  retry_leases_test() { leases.begin(40, job, place, {{9, 101}, {4, 102}, {3, 101}}, start + 15s); }

  retry_leases leases;
};

TEST_F(retry_leases_test, knows_what_is_leased) {
  EXPECT_TRUE(leases.is_leased(101));
  EXPECT_TRUE(leases.is_leased(102));
  EXPECT_FALSE(leases.is_leased(103));
}

TEST_F(retry_leases_test, knows_the_packs_of_its_targets) {
  const auto lease = leases.find(job, 40);
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->place, place);
  EXPECT_THAT(*lease->targets,
              ElementsAre(FieldsAre(3, 101), FieldsAre(4, 102), FieldsAre(9, 101)));
  EXPECT_THAT(packs_of(*lease->targets), ElementsAre(101, 102));
}

TEST_F(retry_leases_test, ends_pack_by_pack) {
  leases.end({101, 101, 109});
  EXPECT_FALSE(leases.is_leased(101));
  EXPECT_THAT(leases.packs_in(place), ElementsAre(102));
  EXPECT_TRUE(leases.find(job, 40));
  leases.end({102});
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
  EXPECT_TRUE(leases.is_leased(101));
  EXPECT_TRUE(leases.expire(start + 30s));
  EXPECT_FALSE(leases.is_leased(101));
  EXPECT_FALSE(leases.renew(job, 40, start + 1h));
}

TEST_F(retry_leases_test, a_pack_that_ended_is_not_given_back) {
  leases.end({102});
  leases.begin(41, job, place, {{4, 103}}, start + 1h);
  EXPECT_TRUE(leases.release(job, 40));
  EXPECT_FALSE(leases.is_leased(101));
  EXPECT_TRUE(leases.is_leased(103));
}

TEST_F(retry_leases_test, is_found_by_its_destination) {
  leases.begin(41, job, {1, 2, 18}, {{3, 105}}, start + 15s);
  EXPECT_THAT(leases.packs_in(place), ElementsAre(101, 102));
  EXPECT_THAT(leases.packs_in({1, 2, 18}), ElementsAre(105));
  EXPECT_THAT(leases.packs_in({1, 3, 17}), IsEmpty());
  EXPECT_THAT(leases.find_all(job, 17), SizeIs(1));
  EXPECT_THAT(*leases.find_all(job, 18).at(0).targets, ElementsAre(FieldsAre(3, 105)));
  EXPECT_THAT(leases.find_all(job + 1, 17), IsEmpty());
}

TEST_F(retry_leases_test, follows_the_clock) {
  leases.put_back(10s);
  EXPECT_EQ(leases.next_expiry(), start + 5s);
}

} // namespace
} // namespace signalbox::sqlite
