// Whatever happens in whatever order, each target is counted once and every account closes.

#include "tests/contract/store_contract.hpp"

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

namespace signalbox::contract {
namespace {

using namespace std::chrono_literals;

// Plays a node that does all a node may do, and all that may happen to it, in random order. It
// notes nothing but what it was told; the store has to keep the account.
class chaos {
public:
  explicit chaos(const store_kind& kind) : session_{kind} {
    session_.add_subscribers("news", 40);
    session_.add_subscribers("news", 12, "f", fcm);
  }

  void act(int choice) {
    switch (choice) {
    case 0:
      return start(session_.topic_job("news"), false);
    case 1:
      return start(session_.user_job("u" + number(40)), coin());
    case 2: {
      auto job = session_.users_job({"u" + number(40), "u" + number(40), "uf" + number(12)});
      job.options.receipts = receipts_policy::all;
      return start(std::move(job), coin());
    }
    case 3: {
      auto job = session_.topic_job("news");
      job.not_before = session_.now() + 3s;
      job.options.ttl = 20s;
      return start(std::move(job), false);
    }
    case 4:
      step_plan();
      return;
    case 5:
    case 6:
      for (const auto& work :
           session_.claim({{apns, pick(60)}, {fcm, pick(30)}}, 1 + pick(6)).works)
        held_.push_back(work);
      return;
    case 7:
    case 8:
    case 9:
      return flush_some();
    case 10:
      return replay();
    case 11:
      if (!held_.empty())
        if (const auto again = session_.reload(any(held_)))
          held_.push_back(again);
      return;
    case 12:
      if (!jobs_.empty() && pick(3) == 0)
        session_.cancel(any(jobs_));
      return;
    case 13:
      session_.sweep(1 + pick(20));
      return;
    case 14:
      session_.advance(std::chrono::milliseconds{pick(12'000)});
      return;
    case 15:
      if (pick(3) == 0) {
        session_.crash_and_reopen();
        lost_.insert(held_.begin(), held_.end());
      }
      return;
    case 16:
      if (!held_.empty())
        session_.release({any(held_)});
      return;
    case 17:
      if (!held_.empty())
        session_.renew({any(held_)});
      return;
    case 18: // rebinds, registers again, moves
      session_.add_token("u" + number(45), "t" + number(40), {"news"}, coin() ? apns : sandbox);
      return;
    case 19:
      await<unit>([&](auto done) {
        session_.store().topics().unsubscribe(default_app, "u" + number(40), "news",
                                              std::move(done));
      });
      return;
    case 20:
      if (!jobs_.empty())
        session_.complete({any(jobs_)});
      return;
    case 21: {
      auto job = session_.topic_job("news");
      job.options.on_unknown = unknown_policy::give_up;
      return start(std::move(job), false);
    }
    case 22:
    case 23:
      return mark();
    case 24:
      return pause();
    case 25:
      if (const auto pauses = session_.pauses(); !pauses.empty())
        session_.resume(any(pauses).id);
      return;
    case 26:
      return replay_letters();
    case 27:
      if (!held_.empty())
        if (const auto& work = any(held_); !work->targets.empty())
          session_.refund({{work->key.job, any(work->targets).id}});
      return;
    case 28: { // the clock is put back
      const std::chrono::milliseconds by{pick(7'200'000)};
      put_back_ += by;
      return session_.advance(-by);
    }
    case 29:
      if (pick(3) == 0)
        cancel_some();
      return;
    default:
      session_.fail_commits(true);
      act(any(std::vector{0, 1, 2, 4, 7, 10}));
      session_.fail_commits(false);
      return;
    }
  }

  // Calm: all that is left is sent or ended.
  void finish() {
    session_.crash_and_reopen();
    for (const auto& one : session_.pauses())
      session_.resume(one.id);
    session_.advance(put_back_ + 1h);
    session_.sweep();
    session_.run_to_the_end();
  }

  void check() {
    for (const auto& id : jobs_) {
      const auto job = session_.view(id);
      RC_ASSERT(job.completed_at.has_value());
      RC_ASSERT(job.total.has_value());
      RC_ASSERT(*job.total == job.planned);
      RC_ASSERT(job.counts.finished() == *job.total);
      // With receipts of all, each target that was not closed in bulk has one.
      std::set<std::string> tokens;
      for (const auto& one : session_.receipts(id))
        tokens.insert(one.provider_id + one.token);
      RC_ASSERT(static_cast<std::int64_t>(tokens.size()) <= *job.total);
    }
    // Each dead letter is a target that counts, and one more in at most one replay.
    std::map<job_id, std::int64_t> given_up;
    std::map<job_id, std::int64_t> replayed;
    for (const auto& letter : session_.dead_letters()) {
      ++given_up[letter.job];
      if (letter.replayed_by)
        ++replayed[*letter.replayed_by];
    }
    for (const auto& [id, letters] : given_up) {
      const auto counts = session_.view(id).counts;
      RC_ASSERT(letters <= counts.rejected + counts.unknown);
    }
    for (const auto& [id, letters] : replayed)
      RC_ASSERT(letters == session_.view(id).total);
  }

private:
  std::size_t pick(std::size_t below) { return *rc::gen::inRange<std::size_t>(0, below); }
  bool coin() { return pick(2) == 0; }
  std::string number(std::size_t below) { return std::to_string(pick(below)); }
  template <class T>
  const T& any(const std::vector<T>& list) {
    return list[pick(list.size())];
  }

  void start(new_job job, bool take) {
    const auto id = job.id;
    auto answer = await<std::vector<commit_result>>([&](auto done) {
      session_.store().jobs().commit_jobs({{std::move(job), take}}, lease, std::move(done));
    });
    if (!answer.ok() || answer.value[0].code != errc::ok)
      return;
    jobs_.push_back(id);
    for (const auto& work : answer.value[0].taken)
      held_.push_back(work);
  }

  void step_plan() {
    await<plan_result>(
      [&](auto done) { session_.store().jobs().plan("push", 1 + pick(9), std::move(done)); });
  }

  void mark() {
    if (held_.empty())
      return;
    const auto& work = any(held_);
    if (work->job->options.on_unknown != unknown_policy::give_up)
      return;
    sent_mark mark{work, {}};
    for (std::size_t i = 0; i < work->targets.size(); ++i)
      if (coin())
        mark.positions.push_back(static_cast<std::uint32_t>(i));
    const auto held = session_.mark_sent({mark});
    RC_ASSERT(!held.at(0) || lost_.count(work) == 0);
  }

  void pause() {
    work_rule rule;
    switch (pick(4)) {
    case 0:
      rule.topic = "news";
      break;
    case 1:
      rule.user = "u" + number(40);
      break;
    case 2:
      if (jobs_.empty())
        return;
      rule.job = any(jobs_);
      break;
    default:
      rule.lane = "push";
      break;
    }
    if (pick(3) == 0)
      rule.provider = coin() ? platform::apns : platform::fcm;
    session_.pause(std::move(rule));
  }

  void replay_letters() {
    dead_letter_filter filter;
    if (!jobs_.empty() && coin())
      filter.job = any(jobs_);
    const auto counted = session_.replay(filter, true);
    const auto made = session_.replay(filter);
    RC_ASSERT(made.targets == counted.targets);
    for (const auto& one : made.jobs)
      jobs_.push_back(*one.job);
  }

  void cancel_some() {
    work_rule rule;
    if (coin())
      rule.topic = "news";
    else
      rule.user = "u" + number(40);
    session_.cancel_jobs(rule);
    // They are closed behind the answer; this comes after.
    await<unit>([&](auto done) { session_.store().reader().check_health(std::move(done)); });
  }

  // Outcomes for a random part of a work that was claimed some time, held or not.
  void flush_some() {
    if (held_.empty())
      return;
    const auto& work = any(held_);
    outcome_batch batch{work, {}, {}, session_.now()};
    const bool are_due_together = coin();
    for (std::size_t i = 0; i < work->targets.size(); ++i) {
      switch (pick(5)) {
      case 0:
      case 1:
        batch.accepted.push_back(static_cast<std::uint32_t>(i));
        break;
      case 2:
        batch.others.push_back(
          session_.outcome_of(work, i,
                              static_cast<outcome_status>(
                                1 + pick(static_cast<std::size_t>(outcome_status::skipped)))));
        batch.others.back().dead_letter =
          batch.others.back().status == outcome_status::rejected && coin();
        batch.others.back().invalidate =
          pick(4) == 0 ? invalidation::unregistered : invalidation::none;
        break;
      case 3:
        batch.others.push_back(session_.retry_of(
          work, i, std::chrono::milliseconds{are_due_together ? 1'000 : pick(5'000)}));
        break;
      default: // not answered yet
        break;
      }
    }
    if (coin())
      for (auto& one : session_.settled(work).others)
        batch.others.push_back(std::move(one));
    write({batch});
    flushed_.push_back(std::move(batch));
  }

  void replay() {
    if (flushed_.empty())
      return;
    write({any(flushed_), any(flushed_)});
  }

  void write(std::vector<outcome_batch> batches) {
    const auto before = counted();
    const auto answer = await<flush_result>(
      [&](auto done) { session_.store().jobs().flush(batches, std::move(done)); });
    const auto after = counted();
    RC_ASSERT(after.finished() >= before.finished() && after.accepted >= before.accepted);
    const bool may_change =
      answer.ok() && std::any_of(batches.begin(), batches.end(),
                                 [this](const auto& batch) { return lost_.count(batch.of) == 0; });
    if (!may_change)
      RC_ASSERT(after == before);
    if (answer.ok() && coin())
      await<std::vector<job_id>>([&](auto done) {
        session_.store().jobs().complete(answer.value.finished_chunks_of, std::move(done));
      });
  }

  job_counts counted() {
    job_counts sum;
    for (const auto& id : jobs_) {
      const auto job = session_.view(id);
      RC_ASSERT(job.counts.finished() <= job.planned);
      sum += job.counts;
    }
    return sum;
  }

  store_session session_;
  std::chrono::milliseconds put_back_{0};
  std::vector<job_id> jobs_;
  std::vector<work_ptr> held_; ///< ever claimed, also what was given back
  std::set<work_ptr> lost_;    ///< of them, what a crash took: they may change nothing any more
  std::vector<outcome_batch> flushed_;
};

class accounting : public testing::TestWithParam<store_kind> {};

INSTANTIATE_TEST_SUITE_P(stores, accounting, testing::ValuesIn(store_kinds()),
                         [](const auto& info) { return info.param.name; });

TEST_P(accounting, closes_after_any_history) {
  const auto& kind = GetParam();
  const bool held = rc::check([&] {
    chaos world{kind};
    const auto history = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 31));
    for (const auto choice : history)
      world.act(choice);
    world.finish();
    world.check();
  });
  EXPECT_TRUE(held);
}

} // namespace
} // namespace signalbox::contract
