#include "actors/stage_directory.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

TEST(stage_directory, lists_who_is_where) {
  stage_directory directory;
  const auto mailbox = directory.enter({"push", "sender", 1}, 64);
  directory.enter({"", "committer", 0}, 8);
  mailbox->try_enter();
  const auto entries = directory.list();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].place, (stage_place{"", "committer", 0}));
  EXPECT_EQ(entries[1].place, (stage_place{"push", "sender", 1}));
  EXPECT_EQ(entries[1].mailbox->capacity, 64);
  EXPECT_EQ(entries[1].mailbox->depth, 1);
  EXPECT_EQ(entries[1].restarts, 0u);
}

TEST(stage_directory, another_actor_at_a_place_is_a_restart_with_an_empty_mailbox) {
  stage_directory directory;
  directory.enter({"push", "sender", 0}, 64)->try_enter();
  directory.enter({"push", "sender", 0}, 64);
  directory.enter({"push", "sender", 0}, 64);
  const auto entries = directory.list();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].restarts, 2u);
  EXPECT_EQ(entries[0].mailbox->depth, 0);
}

} // namespace
} // namespace signalbox
