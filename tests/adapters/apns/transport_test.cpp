#include "adapters/apns/transport.hpp"
#include "tests/adapters/apns/transport_fixture.hpp"

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

class apns_transport_test : public transport_fixture {};

TEST_F(apns_transport_test, one_request_is_accepted) {
  start(options());
  submit_all(make_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  EXPECT_EQ(log_.count("accepted"), 1u);
  EXPECT_EQ(simulator_.apns_totals().requests, 1u);
}

TEST_F(apns_transport_test, every_target_of_many_works_is_answered_once) {
  start(options());
  std::size_t total = 0;
  for (int i = 0; i < 20; ++i) {
    const auto of = make_work(1'000, 1 + 1'000 * i);
    transport_->submit(of, 0, 300);
    transport_->submit(of, 300, 700);
    total += 1'000;
  }
  ASSERT_TRUE(log_.wait_for(total)) << log_.total();
  EXPECT_EQ(log_.count("accepted"), total);
  EXPECT_EQ(log_.doubles(), 0u);
  const auto seen = simulator_.apns_totals();
  EXPECT_EQ(seen.requests, total);
  EXPECT_EQ(seen.accepted, total);
  EXPECT_EQ(seen.unique_targets, total);
  EXPECT_EQ(seen.unique_apns_ids, total);
  EXPECT_EQ(transport_->stats().accepted.value(), static_cast<std::int64_t>(total));
  EXPECT_EQ(transport_->stats().streams.value(), 0);
}

} // namespace
