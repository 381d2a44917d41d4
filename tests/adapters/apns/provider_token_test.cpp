#include "adapters/apns/provider_token.hpp"
#include "adapters/apns/provider_token_keeper.hpp"
#include "adapters/simulator/provider_token.hpp"
#include "adapters/simulator/tls_material.hpp"
#include "tests/support/log_capture.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <future>
#include <sstream>
#include <vector>

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

class provider_token_test : public testing::Test {
protected:
  void SetUp() override {
    auto pattern = (std::filesystem::temp_directory_path() / "signalbox-token-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    material_ = sim::ensure_tls_material(dir_ / "a");
    key_ = {std::string{sim::apns_team_id}, std::string{sim::apns_key_id}, material_.apns_key};
  }

  void TearDown() override { std::filesystem::remove_all(dir_); }

  /// Puts another key in place of the one in use, as an operator does who rotates it.
  sim::tls_material rotate_key() {
    auto other = sim::ensure_tls_material(dir_ / "b");
    std::filesystem::copy_file(other.apns_key, key_.file,
                               std::filesystem::copy_options::overwrite_existing);
    return other;
  }

  sim::token_verdict verify(const std::string& header, std::chrono::sys_seconds now,
                            const sim::tls_material& by) {
    EXPECT_TRUE(header.starts_with("bearer "));
    sim::provider_token_verifier verifier{by.apns_public_key, std::string{sim::apns_key_id},
                                          std::string{sim::apns_team_id}};
    return verifier.verify(header.substr(7), now.time_since_epoch().count());
  }

  std::filesystem::path dir_;
  sim::tls_material material_;
  provider_key key_;
  /// So long after the start, by a clock that nobody has set.
  token_time at(std::chrono::seconds since) const { return {start_ + since, boot_ + since}; }

  const std::chrono::sys_seconds start_{1'700'000'000s};
  const boot_clock::time_point boot_{5min};
};

TEST_F(provider_token_test, is_signed_as_apple_asks) {
  provider_token token{key_, {}};
  EXPECT_EQ(token.current(), nullptr);
  token.refresh(at(0s));
  ASSERT_NE(token.current(), nullptr);
  EXPECT_EQ(verify(*token.current(), start_ + 1s, material_), sim::token_verdict::valid);
  EXPECT_EQ(token.last_error(), "");
}

TEST_F(provider_token_test, is_replaced_at_the_age_of_the_policy_and_not_before) {
  provider_token token{key_, {.refresh_after = 50min}};
  token.refresh(at(0s));
  const auto first = token.current();
  token.refresh(at(49min));
  EXPECT_EQ(token.current(), first);
  token.refresh(at(50min));
  EXPECT_NE(*token.current(), *first);
  EXPECT_EQ(verify(*token.current(), start_ + 100min, material_), sim::token_verdict::valid);
}

TEST_F(provider_token_test, a_clock_set_back_replaces_it) {
  provider_token token{key_, {}};
  token.refresh(at(0s));
  const auto first = token.current();
  token.refresh({start_ - 1h, boot_ + 1min});
  EXPECT_NE(*token.current(), *first);
  EXPECT_EQ(verify(*token.current(), start_ - 1h, material_), sim::token_verdict::valid);
}

TEST_F(provider_token_test, a_clock_set_back_replaces_one_that_was_to_be_held) {
  provider_token token{key_, {}};
  token.refresh({start_ + 3h, boot_});
  const auto first = token.current();
  token.report_too_many_updates();
  token.refresh({start_ + 3h + 1min, boot_ + 1min});
  EXPECT_EQ(token.current(), first);
  token.refresh({start_ + 2min, boot_ + 2min}); // put right
  EXPECT_NE(*token.current(), *first);
}

TEST_F(provider_token_test, a_clock_set_forward_makes_it_as_old_as_apns_sees_it) {
  provider_token token{key_, {.refresh_after = 50min}};
  token.refresh(at(0s));
  const auto first = token.current();
  token.refresh({start_ + 45min, boot_ + 1min});
  EXPECT_EQ(token.current(), first) << "it is still good";
  token.refresh({start_ + 3h, boot_ + 2min});
  EXPECT_NE(*token.current(), *first);
}

TEST_F(provider_token_test, its_age_is_no_matter_of_what_the_clock_says) {
  provider_token token{key_, {.refresh_after = 50min}};
  token.refresh(at(0s));
  const auto first = token.current();
  token.refresh({start_ + 30s, boot_ + 50min}); // the clock was put back meanwhile
  EXPECT_NE(*token.current(), *first);
}

TEST_F(provider_token_test, no_hold_lasts_longer_because_the_clock_was_ahead) {
  provider_token token{key_, {.refresh_after = 50min}};
  token.refresh({start_ + 3h, boot_});
  token.report_too_many_updates();
  token.refresh({start_ + 3h, boot_ + 1s});
  token.refresh({start_ + 1min, boot_ + 1min}); // put right: signed anew
  const auto second = token.current();
  token.refresh({start_ + 52min, boot_ + 52min});
  EXPECT_NE(token.current(), second);
}

TEST_F(provider_token_test, a_refusal_replaces_it_only_if_the_clock_was_set_since) {
  provider_token token{key_, {}};
  token.refresh(at(0s));
  const auto first = token.current();
  token.report_refused(first);
  token.refresh(at(1min));
  EXPECT_EQ(token.current(), first) << "another one from the same key and clock helps nobody";
  token.report_refused(first);
  token.refresh({start_ + 12min, boot_ + 2min}); // ten minutes forward
  EXPECT_NE(*token.current(), *first);
}

TEST_F(provider_token_test, an_expired_answer_after_the_clock_was_set_does_not_wait) {
  provider_token token{key_, {}};
  token.refresh(at(0s));
  token.report_expired(token.current());
  token.refresh(at(1min));
  const auto second = token.current();
  token.report_expired(second);
  token.refresh({start_ + 12min, boot_ + 2min});
  EXPECT_NE(token.current(), second) << "20 minutes are for a token that is good";
}

TEST_F(provider_token_test, an_expired_answer_replaces_it_once) {
  provider_token token{key_, {}};
  token.refresh(at(0s));
  const auto first = token.current();
  token.report_expired(first);
  token.report_expired(first);
  token.refresh(at(1min));
  const auto second = token.current();
  ASSERT_NE(*second, *first);

  token.report_expired(first); // an answer to a request that left before the replacement
  token.refresh(at(2min));
  EXPECT_EQ(token.current(), second);

  token.report_expired(second); // a new token that is expired at once: the clock is wrong
  token.refresh(at(3min));
  EXPECT_EQ(token.current(), second);

  token.report_expired(second);
  token.refresh(at(22min));
  EXPECT_NE(token.current(), second);
}

TEST_F(provider_token_test, too_many_updates_hold_the_next_one_back) {
  provider_token token{key_, {.refresh_after = 20min}};
  token.refresh(at(0s));
  const auto first = token.current();
  token.report_too_many_updates();
  token.refresh(at(15min));
  token.refresh(at(30min));
  EXPECT_EQ(token.current(), first);
  token.refresh(at(35min));
  EXPECT_NE(token.current(), first);
}

TEST_F(provider_token_test, a_rotated_key_takes_effect_on_reload) {
  provider_token token{key_, {}};
  token.refresh(at(0s));
  const auto rotated = rotate_key();
  token.refresh(at(1min));
  EXPECT_EQ(verify(*token.current(), start_ + 1min, material_), sim::token_verdict::valid);
  token.reload();
  token.refresh(at(2min));
  EXPECT_EQ(verify(*token.current(), start_ + 2min, rotated), sim::token_verdict::valid);
}

TEST_F(provider_token_test, an_unchanged_key_keeps_its_token_on_reload) {
  provider_token token{key_, {}};
  token.refresh(at(0s));
  const auto first = token.current();
  token.reload();
  token.refresh(at(1min));
  EXPECT_EQ(token.current(), first);
}

TEST_F(provider_token_test, a_key_that_cannot_be_read_leaves_the_old_token_and_says_why) {
  provider_token token{key_, {}};
  token.refresh(at(0s));
  const auto first = token.current();
  std::filesystem::remove(key_.file);
  token.reload();
  token.refresh(at(1min));
  EXPECT_EQ(token.current(), first);
  EXPECT_NE(token.last_error().find(key_.file.string()), std::string::npos);
}

TEST_F(provider_token_test, a_file_that_holds_no_p256_key_is_refused_by_name) {
  for (const auto& file : {material_.server_cert, material_.apns_public_key}) {
    provider_token token{{"TEAM", "KEY", file}, {}};
    token.refresh(at(0s));
    EXPECT_EQ(token.current(), nullptr);
    EXPECT_EQ(token.last_error(), file.string() + ": not an EC P-256 private key in PEM");
  }
}

TEST_F(provider_token_test, the_keeper_shares_one_token_per_key_and_environment) {
  provider_token_keeper keeper;
  const auto production = keeper.token_for(key_, environment::production);
  ASSERT_NE(production->current(), nullptr);
  EXPECT_EQ(keeper.token_for(key_, environment::production), production);
  EXPECT_NE(keeper.token_for(key_, environment::sandbox), production);
}

TEST_F(provider_token_test, the_keeper_tells_when_a_rotated_key_is_in_use) {
  std::promise<provider_token::text_ptr> told;
  provider_token_keeper keeper;
  const auto token = keeper.token_for(key_, environment::production);
  const auto before = token->current();
  rotate_key();
  keeper.reload([&] { told.set_value(token->current()); });
  auto in_use = told.get_future();
  ASSERT_EQ(in_use.wait_for(60s), std::future_status::ready);
  EXPECT_NE(in_use.get(), before);
}

TEST_F(provider_token_test, the_keeper_tells_of_a_token_that_a_clock_put_right_replaced) {
  std::atomic<bool> is_right = false;
  std::promise<provider_token::text_ptr> told;
  std::shared_ptr<provider_token> token;
  std::vector<environment> renewed;
  provider_token_keeper keeper{{},
                               [&](const provider_key&, environment env) {
                                 renewed.push_back(env);
                                 told.set_value(token->current());
                               },
                               [&] {
                                 return is_right ? at(1min) : token_time{start_ + 3h, boot_};
                               }};
  token = keeper.token_for(key_, environment::sandbox);
  const auto before = token->current();
  is_right = true;
  token->report_refused(before); // so that it is looked at now, and not in 15 s
  auto in_use = told.get_future();
  ASSERT_EQ(in_use.wait_for(60s), std::future_status::ready);
  EXPECT_EQ(verify(*in_use.get(), start_ + 1min, material_), sim::token_verdict::valid);
  EXPECT_EQ(renewed, std::vector{environment::sandbox});
}

TEST_F(provider_token_test, the_keeper_logs_that_a_key_cannot_be_used) {
  tests::log_capture log;
  {
    provider_token_keeper keeper;
    const auto token = keeper.token_for(key_, environment::production);
    const auto other = keeper.token_for(key_, environment::sandbox);
    std::ofstream{key_.file} << "not-a-key";
    std::promise<void> told;
    keeper.reload([&] { told.set_value(); });
    told.get_future().wait();
    EXPECT_NE(token->current(), nullptr);
  }
  const auto said = "event=provider_token_failed error=\"" + key_.file.string() +
                    ": not an EC P-256 private key in PEM\"";
  const auto at = log.text().find(said);
  ASSERT_NE(at, std::string::npos) << log.text();
  EXPECT_EQ(log.text().find(said, at + 1), std::string::npos) << "once, not for each environment";
  EXPECT_EQ(log.text().find("not-a-key"), std::string::npos);
}

TEST_F(provider_token_test, a_token_outlives_its_keeper) {
  std::shared_ptr<provider_token> token;
  {
    provider_token_keeper keeper;
    token = keeper.token_for(key_, environment::production);
  }
  token->reload();
  EXPECT_NE(token->current(), nullptr);
}

} // namespace
