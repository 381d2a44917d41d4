// Live Activities: random interleavings of requests, plans, claims, answers, cancellations and
// crashes. At most one request is with a device at a time, none is older than one before it, and
// the last that every device got is the last that was accepted.

#include "tests/contract/activity_session.hpp"

#include <map>
#include <random>
#include <set>

namespace signalbox::contract {

namespace {

constexpr std::chrono::milliseconds waits[] = {
  std::chrono::milliseconds{10}, std::chrono::milliseconds{120}, std::chrono::milliseconds{300},
  std::chrono::milliseconds{1'100}};

class random_activity {
public:
  random_activity(store_session& session, std::uint32_t seed)
    : session_{session}, live_{session}, numbers_{seed}, crashes_{seed % 2 == 0} {}

  void run() {
    for (int i = 0; i < 4; ++i) {
      const auto n = std::to_string(i);
      live_.add_token("s" + n, "start" + n, token_kind::start, {}, "match");
      live_.add_token("s" + n, "ios" + n, token_kind::update, "a", "match");
      live_.add_token("s" + n, "android" + n, token_kind::update, "a", "match", fcm);
    }
    live_.add_token("s9", "unbound", token_kind::update, {}, "match", fcm);
    dispatches_.push_back(live_.start("a", scope_kind::topic, "match"));
    for (int i = 0; i < 150; ++i)
      step();
    finish();
  }

private:
  struct held_work {
    work_ptr of;
    std::set<std::size_t> open; ///< positions without an outcome
  };

  std::size_t below(std::size_t n) { return numbers_() % n; }

  void step() {
    const auto choice = below(100);
    if (choice < 14)
      update();
    else if (choice < 34)
      session_.plan_all(1 + below(3));
    else if (choice < 54)
      claim(1 + below(4));
    else if (choice < 82)
      answer();
    else if (choice < 96)
      pass(waits[below(std::size(waits))]);
    else if (crashes_)
      crash();
    else
      session_.cancel(dispatches_[below(dispatches_.size())]);
  }

  // Half of them may begin with their acceptance.
  void update() {
    const auto made = session_.commit(live_.request(activity_action::update, "a"), below(2) == 0);
    ASSERT_TRUE(made.activity && made.activity->dispatch) << made.message;
    dispatches_.push_back(*made.activity->dispatch);
    hold(made.taken);
  }

  void claim(std::size_t chunks) { hold(session_.claim({{apns, 100}, {fcm, 100}}, chunks).works); }

  void hold(const std::vector<work_ptr>& works) {
    for (const auto& one : works) {
      session_.flush({session_.settled(one)});
      held_work held{one, {}};
      for (std::size_t k = 0; k < one->targets.size(); ++k) {
        const std::string token{one->token(one->targets[k])};
        EXPECT_TRUE(in_flight_.insert(token).second) << token << " has two requests in flight";
        EXPECT_GE(one->job->activity->seq, sent_[token]) << token << " got something newer before";
        held.open.insert(k);
      }
      if (!held.open.empty())
        held_.push_back(std::move(held));
      else
        session_.complete({one->key.job});
    }
  }

  // Some outcomes of one work; a sender that hears of its job's end sends nothing more of it.
  void answer(bool is_calm = false) {
    if (held_.empty())
      return;
    const auto at = below(held_.size());
    auto& [of, open] = held_[at];
    const bool is_over = is_ended(of->key.job);
    for (auto it = open.begin(); it != open.end();) {
      if (!is_calm && below(3) == 0) {
        ++it;
        continue;
      }
      answer_one(of, *it, is_over, is_calm);
      it = open.erase(it);
    }
    session_.complete({of->key.job});
    if (open.empty())
      held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  void answer_one(const work_ptr& of, std::size_t k, bool is_over, bool is_calm) {
    const std::string token{of->token(of->targets[k])};
    in_flight_.erase(token);
    if (is_over && below(2) == 0) {
      auto skipped = session_.outcome_of(of, k, outcome_status::skipped);
      skipped.reason = "superseded";
      session_.flush({session_.others(of, {skipped})});
      return;
    }
    const auto seq = of->job->activity->seq;
    sent_[token] = std::max(sent_[token], seq);
    const auto choice = is_calm ? 9 : below(10);
    if (choice < 3) {
      session_.flush({session_.others(of, {session_.retry_of(of, k, waits[below(4)])})});
    } else if (choice == 3 && of->job->activity->action == activity_action::start) {
      session_.flush({session_.others(of, {session_.outcome_of(of, k, outcome_status::unknown)})});
    } else {
      got_[token] = seq;
      session_.flush({session_.accept(of, k, 1)});
    }
  }

  bool is_ended(const job_id& job) {
    const auto status = session_.view(job).status;
    return status == job_status::superseded || status == job_status::cancelled ||
           status == job_status::failed;
  }

  void pass(std::chrono::milliseconds time) {
    session_.advance(time);
    std::vector<work_ptr> works;
    for (const auto& each : held_)
      works.push_back(each.of);
    session_.renew(works);
    session_.sweep();
  }

  // What was in flight may have arrived.
  void crash() {
    for (const auto& [of, open] : held_)
      for (const auto k : open)
        note_sent(of, k);
    held_.clear();
    in_flight_.clear();
    session_.crash_and_reopen();
    session_.sweep();
  }

  void note_sent(const work_ptr& of, std::size_t k) {
    auto& sent = sent_[std::string{of->token(of->targets[k])}];
    sent = std::max(sent, of->job->activity->seq);
  }

  void finish() {
    const auto last = below(2) == 0 ? live_.update("a") : live_.end("a");
    dispatches_.push_back(last);
    for (int i = 0; i < 40; ++i) {
      session_.plan_all(3);
      claim(64);
      while (!held_.empty())
        answer(true);
      pass(std::chrono::milliseconds{300});
    }
    for (const auto& job : dispatches_) {
      const auto seen = session_.view(job);
      EXPECT_TRUE(seen.completed_at.has_value()) << to_string(seen.status);
      EXPECT_EQ(seen.pending(), 0);
    }
    for (int i = 0; i < 4; ++i)
      for (const auto* kind : {"ios", "android"})
        EXPECT_EQ(got_[kind + std::to_string(i)], static_cast<std::int64_t>(dispatches_.size()));
  }

  store_session& session_;
  activity_session live_;
  std::mt19937 numbers_;
  bool crashes_;
  std::vector<job_id> dispatches_;
  std::vector<held_work> held_;
  std::set<std::string> in_flight_;
  std::map<std::string, std::int64_t> sent_; ///< the newest that may have reached each device
  std::map<std::string, std::int64_t> got_;  ///< the last that was accepted
};

TEST_P(store_contract, what_each_device_gets_is_in_order_and_the_last_of_all) {
  const auto* given = std::getenv("SIGNALBOX_SEED");
  const auto first = given ? static_cast<std::uint32_t>(std::atoll(given)) : 1;
  const auto count = given ? 1u : 20u;
  for (auto seed = first; seed < first + count && !HasFailure(); ++seed) {
    SCOPED_TRACE("SIGNALBOX_SEED=" + std::to_string(seed));
    store_session session{GetParam()};
    random_activity{session, seed}.run();
  }
}

} // namespace

} // namespace signalbox::contract
