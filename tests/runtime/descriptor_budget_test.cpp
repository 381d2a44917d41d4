#include "runtime/descriptor_budget.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace signalbox {
namespace {

node_settings with_both_providers() {
  node_settings settings;
  settings.store.readers = 4;
  settings.apns.key_file = "key.p8";
  settings.fcm.service_account_file = "account.json";
  return settings;
}

TEST(descriptor_budget, counts_every_connection_of_every_sender) {
  auto settings = with_both_providers();
  const auto one = needed_descriptors(settings).providers;
  settings.lanes[0].senders = 2; // one more, with a loop of its own for each provider
  const auto connections = 2 * settings.apns.connections + settings.fcm.connections;
  EXPECT_EQ(needed_descriptors(settings).providers, one + connections + 2 * 3);
  settings.lanes[0].senders = 1;
  settings.apns.connections += 1; // two lanes, two environments
  EXPECT_EQ(needed_descriptors(settings).providers, one + 4);
  settings.fcm.service_account_file.clear();
  EXPECT_LT(needed_descriptors(settings).providers, one);
}

TEST(descriptor_budget, leaves_the_setting_alone_where_all_fits) {
  const auto settings = with_both_providers();
  const auto wanted = budget_descriptors(settings, 0).wanted;
  EXPECT_EQ(budget_descriptors(settings, wanted).connections, settings.http.max_connections);
  EXPECT_EQ(budget_descriptors(settings, wanted).refused, 256u);
  EXPECT_LT(budget_descriptors(settings, 1'024).connections, settings.http.max_connections);
}

RC_GTEST_PROP(descriptor_budget, never_leaves_providers_and_store_short, ()) {
  auto settings = with_both_providers();
  settings.http.max_connections = *rc::gen::inRange<std::size_t>(1, 100'001);
  settings.apns.connections = *rc::gen::inRange<std::size_t>(1, 65);
  settings.fcm.connections = *rc::gen::inRange<std::size_t>(1, 65);
  settings.lanes[0].senders = *rc::gen::inRange<std::size_t>(1, 65);
  settings.http.threads = *rc::gen::inRange<std::size_t>(1, 17);
  const auto limit = *rc::gen::inRange<std::size_t>(0, 300'000);
  const auto budget = budget_descriptors(settings, limit);
  const auto own = needed_descriptors(settings).total();
  RC_ASSERT(budget.connections >= 1);
  RC_ASSERT(budget.connections <= settings.http.max_connections);
  RC_ASSERT(budget.refused >= 1);
  if (own + least_clients <= limit)
    RC_ASSERT(own + budget.connections + budget.refused <= limit);
  if (budget.wanted <= limit)
    RC_ASSERT(budget.connections == settings.http.max_connections);
}

} // namespace
} // namespace signalbox
