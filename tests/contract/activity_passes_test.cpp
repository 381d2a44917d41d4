// Live Activities: when updates come faster than a pass over all devices takes, nobody is left out.

#include "tests/contract/activity_session.hpp"

namespace signalbox::contract {

namespace {

class with_an_audience : public activity_session {
public:
  with_an_audience(store_session& session, int devices)
    : activity_session{session}, session_{session} {
    add_token("s", "start", token_kind::start, {}, "match");
    begin("a", scope_kind::topic, "match");
    add_audience("match", "a", devices);
  }

  /// The outcomes of a work that a newer update stopped after `sent` targets.
  outcome_batch cut_after(const work_ptr& work, std::size_t sent) {
    std::vector<outcome> rest;
    for (auto i = sent; i < work->targets.size(); ++i) {
      rest.push_back(session_.outcome_of(work, i, outcome_status::skipped));
      rest.back().reason = "superseded";
    }
    return session_.others(work, rest);
  }

  /// One step of planning.
  void plan_once(std::size_t chunk_size) {
    const auto step = await<plan_result>(
      [&](auto done) { session_.store().jobs().plan("push", chunk_size, std::move(done)); });
    ASSERT_TRUE(step.ok()) << step.message;
  }

private:
  store_session& session_;
};

TEST_P(store_contract, devices_that_fit_into_one_chunk_are_all_reached_too) {
  with_an_audience live{*this, 5};
  live.update("a");
  const auto first = live.take();
  ASSERT_EQ(first.size(), 1u);
  flush({accept(first[0], 0, 2)});
  live.update("a");
  plan_all();
  flush({live.cut_after(first[0], 2)});
  plan_all();
  const auto works = claim_all().works;
  ASSERT_EQ(works.size(), 2u);
  EXPECT_EQ(tokens_in(works[0]), (texts{"t2", "t3", "t4"})) << "they were not got to";
  EXPECT_EQ(tokens_in(works[1]), (texts{"t0", "t1"}));
}

TEST_P(store_contract,
       devices_that_a_superseded_update_was_not_planned_for_are_the_next_ones_first) {
  with_an_audience live{*this, 6};
  live.update("a");
  live.plan_once(2); // it begins
  live.plan_once(2);
  const auto first = claim_all().works;
  ASSERT_EQ(targets_in(first), 2u);
  flush({accept(first[0])});
  live.update("a");
  plan_all(2);
  const auto works = claim({{apns, 2}}, 1).works;
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(tokens_in(works[0]), (texts{"t2", "t3"}));
}

TEST_P(store_contract, a_device_that_does_not_answer_does_not_end_every_updates_chance) {
  with_an_audience live{*this, 3};
  live.update("a");
  const auto first = live.take();
  ASSERT_EQ(first.size(), 1u);
  flush({accept(first[0], 0, 2)});
  live.update("a");
  plan_all();
  advance(std::chrono::milliseconds{300});
  plan_all();
  live.update("a");
  EXPECT_EQ(tokens_sent(live.take()), (texts{"t0", "t1"})) << "the second one is to be sent first";
}

} // namespace

} // namespace signalbox::contract
