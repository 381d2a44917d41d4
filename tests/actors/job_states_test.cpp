#include "actors/job_states.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace signalbox {
namespace {

using enum job_status;

const std::vector<job_status> all_states{scheduled, queued,    in_progress, dispatched, completed,
                                         failed,    cancelled, expired,     superseded};

TEST(job_states, exactly_these_changes_are_allowed) {
  const std::vector<std::vector<job_status>> allowed{
    /* scheduled */ {queued, failed, cancelled, expired, superseded},
    /* queued */ {in_progress, dispatched, completed, failed, cancelled, expired, superseded},
    /* in_progress */ {dispatched, completed, failed, cancelled, superseded},
    /* dispatched */ {completed, failed, cancelled, superseded},
    {},
    {},
    {},
    {},
    {}};
  for (std::size_t i = 0; i < all_states.size(); ++i) {
    for (const auto to : all_states) {
      const auto& row = allowed[i];
      const bool listed = std::find(row.begin(), row.end(), to) != row.end();
      const auto expected = all_states[i] == to ? transition::no_op
                            : listed            ? transition::apply
                                                : transition::refused;
      EXPECT_EQ(check_transition(all_states[i], to), expected)
        << to_string(all_states[i]) << " to " << to_string(to);
    }
  }
}

TEST(job_states, unknown_values_are_refused) {
  for (const int value : {0, 10, 200}) {
    const auto unknown = static_cast<job_status>(value);
    EXPECT_EQ(check_transition(unknown, completed), transition::refused);
    EXPECT_EQ(check_transition(queued, unknown), transition::refused);
    EXPECT_EQ(check_transition(unknown, unknown), transition::refused);
    EXPECT_FALSE(is_terminal(unknown));
    EXPECT_FALSE(allows_chunk_claims(unknown));
    EXPECT_FALSE(allows_retry_claims(unknown));
  }
}

TEST(job_states, a_terminal_job_is_neither_claimed_nor_planned) {
  for (const auto status : all_states) {
    EXPECT_EQ(is_terminal(status), status >= completed);
    if (is_terminal(status)) {
      EXPECT_FALSE(allows_chunk_claims(status));
      EXPECT_FALSE(allows_retry_claims(status));
      EXPECT_FALSE(allows_planning(status));
    }
  }
  EXPECT_FALSE(allows_chunk_claims(scheduled));
  EXPECT_FALSE(allows_chunk_claims(dispatched));
  EXPECT_TRUE(allows_retry_claims(dispatched));
}

RC_GTEST_PROP(job_states, any_path_of_applied_changes_ends_in_the_first_terminal_state, ()) {
  auto state = *rc::gen::elementOf(all_states);
  const auto wishes = *rc::gen::container<std::vector<job_status>>(rc::gen::elementOf(all_states));
  for (const auto wish : wishes) {
    const auto before = state;
    if (check_transition(state, wish) == transition::apply)
      state = wish;
    if (is_terminal(before))
      RC_ASSERT(state == before);
    if (!is_terminal(state))
      RC_ASSERT(state >= before);
  }
}

} // namespace
} // namespace signalbox
