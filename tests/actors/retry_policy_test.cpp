#include "actors/retry_policy.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>

namespace signalbox {
namespace {

using namespace std::chrono_literals;
using action = verdict::action;

const timestamp now{1'700'000'000'000ms};
const retry_rules rules{5, 1s, 300s};

job_context job_with(std::optional<std::chrono::seconds> ttl = {},
                     std::optional<timestamp> expires_at = {}) {
  job_context job;
  job.created_at = now;
  job.options.ttl = ttl;
  job.options.expires_at = expires_at;
  return job;
}

verdict verdict_of(action what, std::optional<std::chrono::seconds> retry_after = {}) {
  verdict made;
  made.what = what;
  made.reason = "ServiceUnavailable";
  made.retry_after = retry_after;
  return made;
}

target target_after(std::uint16_t attempts) {
  target made;
  made.id = 17;
  made.index = 3;
  made.attempts = attempts;
  return made;
}

// A number in [0, 1), as the jitter is.
rc::Gen<double> any_jitter() {
  return rc::gen::map(rc::gen::inRange(0, 1'000'000), [](int n) { return n / 1e6; });
}

RC_GTEST_PROP(backoff, stays_below_its_ceiling, ()) {
  const auto min = std::chrono::milliseconds{*rc::gen::inRange(1, 10'000)};
  const auto max = std::chrono::milliseconds{*rc::gen::inRange(1, 1'000'000)};
  const auto before = *rc::gen::inRange(0u, 100'000u);
  const auto wait = retry_backoff({5, min, max}, before, *any_jitter());
  RC_ASSERT(wait >= 0ms);
  RC_ASSERT(wait <= max);
  if (before < 16)
    RC_ASSERT(wait <= min * (1 << before));
}

TEST(backoff, doubles_with_each_attempt_before) {
  const double almost_one = 0.999999;
  EXPECT_EQ(retry_backoff(rules, 0, 0.5), 500ms);
  EXPECT_EQ(retry_backoff(rules, 1, 0.5), 1s);
  EXPECT_EQ(retry_backoff(rules, 3, 0.5), 4s);
  EXPECT_EQ(retry_backoff(rules, 60, almost_one), 299'999ms);
  EXPECT_EQ(retry_backoff(rules, 3, 0.0), 0ms);
}

// SPEC 11.8: the backoff of the first retry is the one for no attempts before it.
TEST(decide, backoff_uses_the_attempts_before_this_one) {
  const auto first =
    decide(rules, verdict_of(action::retry), job_with(), target_after(0), now, 0.5);
  EXPECT_EQ(first.status, outcome_status::retry);
  EXPECT_EQ(first.retry_at, now + 500ms);
  EXPECT_EQ(first.attempts, 1);
  const auto third =
    decide(rules, verdict_of(action::retry), job_with(), target_after(2), now, 0.5);
  EXPECT_EQ(third.retry_at, now + 2s);
}

// SPEC 11.8: whether it was the last one is judged by the attempts after it.
TEST(decide, the_last_attempt_is_judged_with_this_one_counted) {
  const auto status = [](action what, std::uint16_t before) {
    return decide(rules, verdict_of(what), job_with(), target_after(before), now, 0.5).status;
  };
  EXPECT_EQ(status(action::retry, 3), outcome_status::retry);
  EXPECT_EQ(status(action::retry, 4), outcome_status::rejected);
  EXPECT_EQ(status(action::unknown, 3), outcome_status::retry);
  EXPECT_EQ(status(action::unknown, 4), outcome_status::unknown);
}

TEST(decide, what_never_left_is_not_charged) {
  const auto out = decide(rules, verdict_of(action::unsent), job_with(), target_after(4), now, 0.5);
  EXPECT_EQ(out.status, outcome_status::retry);
  EXPECT_EQ(out.attempts, 4);
}

TEST(decide, a_rejection_keeps_what_it_says_about_the_token) {
  auto bad = verdict_of(action::reject);
  bad.reason = "Unregistered";
  bad.invalidate = invalidation::unregistered;
  bad.unregistered_at = now - 1h;
  const auto out = decide(rules, bad, job_with(), target_after(0), now, 0.5);
  EXPECT_EQ(out.status, outcome_status::rejected);
  EXPECT_EQ(out.token, 17);
  EXPECT_EQ(out.index, 3u);
  EXPECT_EQ(out.reason, "Unregistered");
  EXPECT_EQ(out.attempts, 1);
  EXPECT_EQ(out.invalidate, invalidation::unregistered);
  EXPECT_EQ(out.unregistered_at, now - 1h);
}

RC_GTEST_PROP(decide, a_retry_waits_as_long_as_the_provider_asks, ()) {
  const auto asked = std::chrono::seconds{*rc::gen::inRange(0, 4'000)};
  const auto before = *rc::gen::inRange(0, 4);
  const auto out = decide(rules, verdict_of(action::retry, asked), job_with(),
                          target_after(static_cast<std::uint16_t>(before)), now, *any_jitter());
  RC_ASSERT(out.status == outcome_status::retry);
  RC_ASSERT(out.retry_at >= now + asked);
  RC_ASSERT(out.retry_at <= now + std::max<std::chrono::milliseconds>(asked, rules.backoff_max));
}

TEST(decide, a_ttl_of_0_is_tried_once) {
  const auto job = job_with(0s);
  const auto status = [&](action what) {
    return decide(rules, verdict_of(what), job, target_after(0), now, 0.5).status;
  };
  EXPECT_EQ(status(action::retry), outcome_status::rejected);
  EXPECT_EQ(status(action::unknown), outcome_status::unknown);
  EXPECT_EQ(status(action::unsent), outcome_status::retry) << "that was no try";
}

TEST(decide, a_retry_past_the_deadline_expires_at_once) {
  const auto status = [](const job_context& job, action what, double jitter) {
    return decide(rules, verdict_of(what), job, target_after(0), now, jitter).status;
  };
  EXPECT_EQ(status(job_with({}, now + 500ms), action::retry, 0.499), outcome_status::retry);
  EXPECT_EQ(status(job_with({}, now + 500ms), action::retry, 0.5), outcome_status::expired);
  EXPECT_EQ(status(job_with({}, now + 500ms), action::unsent, 0.5), outcome_status::expired);
  EXPECT_EQ(status(job_with({}, now + 500ms), action::unknown, 0.5), outcome_status::unknown);
  EXPECT_EQ(status(job_with(1s), action::retry, 0.9), outcome_status::retry);
  auto old = job_with(1s);
  old.created_at = now - 500ms;
  EXPECT_EQ(status(old, action::retry, 0.9), outcome_status::expired);
}

verdict outage_of(action what = action::retry) {
  auto made = verdict_of(what);
  made.trouble = trouble::outage;
  return made;
}

TEST(decide, a_throttled_device_waits_at_least_half_the_ceiling) {
  auto throttled = verdict_of(action::retry);
  throttled.throttled = true;
  const auto at = [&](double jitter) {
    return decide(rules, throttled, job_with(), target_after(2), now, jitter).retry_at;
  };
  EXPECT_EQ(at(0.0), now + 2s);
  EXPECT_EQ(at(0.5), now + 3s);
}

TEST(decide, no_answer_is_not_repeated_for_a_job_that_gives_up) {
  auto job = job_with();
  job.options.on_unknown = unknown_policy::give_up;
  const auto out = decide(rules, verdict_of(action::unknown), job, target_after(0), now, 0.5);
  EXPECT_EQ(out.status, outcome_status::unknown);
  EXPECT_FALSE(out.dead_letter) << "its attempts were not used up";
  EXPECT_EQ(decide(rules, outage_of(), job, target_after(0), now, 0.5).status,
            outcome_status::retry)
    << "what was answered is retried as usual";
}

TEST(decide, a_stray_refusal_of_the_credentials_is_charged_and_ends_with_one_try_more) {
  auto refused = verdict_of(action::retry);
  refused.trouble = trouble::configuration;
  const auto after = [&](std::uint16_t before, standing destination) {
    return decide(rules, refused, job_with(), target_after(before), now, 0.5, destination);
  };
  EXPECT_EQ(after(0, standing::failing).attempts, 1);
  EXPECT_GE(after(0, standing::failing).retry_at, now + 15s) << "a clock is put right meanwhile";
  EXPECT_LT(after(0, standing::working).retry_at, now + 15s) << "its own fault";
  EXPECT_EQ(after(4, standing::failing).status, outcome_status::retry)
    << "the breaker may open meanwhile";
  EXPECT_TRUE(after(5, standing::failing).dead_letter);
  EXPECT_TRUE(after(4, standing::working).dead_letter) << "others are accepted at the same time";
}

TEST(decide, a_refusal_while_the_breaker_is_open_charges_nobody) {
  auto refused = verdict_of(action::retry);
  refused.trouble = trouble::configuration;
  const auto out = decide(rules, refused, job_with(), target_after(5), now, 0.5, standing::down);
  EXPECT_EQ(out.status, outcome_status::retry);
  EXPECT_EQ(out.attempts, 5);
}

TEST(decide, nothing_ends_for_an_outage) {
  const auto after = [](std::uint16_t before, standing destination) {
    return decide(rules, outage_of(), job_with(), target_after(before), now, 0.5, destination);
  };
  EXPECT_TRUE(after(4, standing::working).dead_letter);
  EXPECT_EQ(after(4, standing::unsure).status, outcome_status::retry) << "it may be the outage's";
  EXPECT_TRUE(after(5, standing::unsure).dead_letter) << "a success came between";
  EXPECT_EQ(after(40, standing::failing).status, outcome_status::retry);
  EXPECT_EQ(after(40, standing::failing).attempts, 41);
  EXPECT_EQ(after(40, standing::down).status, outcome_status::retry);
  EXPECT_EQ(after(40, standing::down).attempts, 40) << "nobody is charged";
}

TEST(decide, a_ttl_of_0_is_tried_once_in_an_outage_too) {
  const auto out =
    decide(rules, outage_of(), job_with(0s), target_after(0), now, 0.5, standing::down);
  EXPECT_EQ(out.status, outcome_status::rejected);
  EXPECT_FALSE(out.dead_letter);
}

RC_GTEST_PROP(decide, never_past_the_deadline_and_a_dead_letter_only_for_the_last_attempt, ()) {
  const auto left = std::chrono::milliseconds{*rc::gen::inRange(1, 600'000)};
  const auto before = static_cast<std::uint16_t>(*rc::gen::inRange(0, 10));
  auto given = verdict_of(*rc::gen::element(action::retry, action::unknown, action::unsent),
                          *rc::gen::element(std::optional<std::chrono::seconds>{},
                                            std::optional<std::chrono::seconds>{30}));
  given.trouble = *rc::gen::element(trouble::none, trouble::outage, trouble::configuration);
  given.throttled = *rc::gen::arbitrary<bool>();
  const auto destination =
    *rc::gen::element(standing::working, standing::unsure, standing::failing, standing::down);
  auto job = job_with({}, now + left);
  job.options.on_unknown = *rc::gen::element(unknown_policy::resend, unknown_policy::give_up);
  const auto out = decide(rules, given, job, target_after(before), now, *any_jitter(), destination);
  const bool charged = given.what != action::unsent &&
                       (given.trouble == trouble::none || destination != standing::down);
  RC_ASSERT(out.attempts == before + (charged ? 1 : 0));
  if (out.status == outcome_status::retry) {
    RC_ASSERT(out.retry_at < now + left);
    RC_ASSERT(out.retry_at >= now);
    RC_ASSERT(!out.dead_letter);
    if (given.trouble == trouble::none)
      RC_ASSERT(!charged || out.attempts < rules.max_attempts);
    RC_ASSERT(given.what != action::unknown || job.options.on_unknown == unknown_policy::resend);
  }
  if (out.dead_letter) {
    RC_ASSERT(charged);
    RC_ASSERT(out.attempts >= rules.max_attempts);
    RC_ASSERT(out.status == outcome_status::rejected || out.status == outcome_status::unknown);
  }
  const bool own = given.trouble == trouble::none || destination == standing::working;
  const bool gives_up =
    given.what == action::unknown && job.options.on_unknown == unknown_policy::give_up;
  if (charged && own && !gives_up && out.attempts >= rules.max_attempts)
    RC_ASSERT(out.dead_letter);
}

} // namespace
} // namespace signalbox
