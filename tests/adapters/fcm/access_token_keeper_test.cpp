#include "actors/connection_board.hpp"
#include "actors/fcm_reactions.hpp"
#include "adapters/fcm/access_token_keeper.hpp"
#include "tests/adapters/fcm/fcm_fixture.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/log_capture.hpp"

#include <fstream>
#include <future>

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

class access_token_keeper_test : public fcm_fixture {
protected:
  /// The account's file under another name, for tests that spoil it.
  std::filesystem::path own_file(const std::string& name) {
    const auto copy = simulator_directory::path() / name;
    std::filesystem::copy_file(simulator_.tls().service_account, copy,
                               std::filesystem::copy_options::overwrite_existing);
    return copy;
  }

  std::uint32_t serial_of(const access_token& of) {
    const auto current = of.current(access_token::clock::now());
    return current ? current->serial : 0;
  }

  std::uint64_t token_requests() { return simulator_.fcm_totals().token_requests; }
};

TEST_F(access_token_keeper_test, a_token_is_fetched_in_the_background) {
  access_token_keeper keeper{token_options()};
  const auto token = keeper.token_for(simulator_.tls().service_account);
  ASSERT_TRUE(eventually([&] { return has_token(*token); })) << token->last_error();
  const auto current = token->current(access_token::clock::now());
  EXPECT_TRUE(current->authorization.starts_with("Bearer ya29.")) << current->authorization;
  EXPECT_EQ(current->path, "/v1/projects/signalbox-sim/messages:send");
  EXPECT_EQ(token->last_error(), "");
  EXPECT_EQ(token->current(access_token::clock::now() + 1h), nullptr);
}

TEST_F(access_token_keeper_test, everybody_shares_the_token_of_an_account) {
  access_token_keeper keeper{token_options()};
  const auto token = keeper.token_for(simulator_.tls().service_account);
  EXPECT_EQ(keeper.token_for(simulator_.tls().service_account), token);
  ASSERT_TRUE(eventually([&] { return has_token(*token); }));
  EXPECT_EQ(token_requests(), 1u);
}

TEST(refreshed_after_test, a_token_is_replaced_before_its_end) {
  EXPECT_EQ(refreshed_after(3'600s, 300s), 3'300s);
  EXPECT_EQ(refreshed_after(1'200s, 300s), 900s);
  EXPECT_EQ(refreshed_after(600s, 300s), 450s) << "a quarter of its life";
  EXPECT_EQ(refreshed_after(1s, 300s), 750ms);
}

TEST_F(access_token_keeper_test, it_is_refreshed_again_and_again) {
  faults(R"({"token_lifetime_s":1})");
  access_token_keeper keeper{token_options()};
  const auto token = keeper.token_for(simulator_.tls().service_account);
  ASSERT_TRUE(eventually([&] { return serial_of(*token) >= 3; }));
}

TEST_F(access_token_keeper_test, an_endpoint_that_fails_is_asked_again) {
  faults(R"({"token_status":503})");
  access_token_keeper keeper{token_options()};
  const auto token = keeper.token_for(simulator_.tls().service_account);
  ASSERT_TRUE(eventually([&] { return token_requests() >= 3; }));
  EXPECT_FALSE(has_token(*token));
  EXPECT_EQ(token->obstacle(), fcm_no_access_token);
  EXPECT_NE(token->last_error().find("/token: status 503"), std::string::npos)
    << token->last_error();
  faults(R"({"token_status":0})");
  EXPECT_TRUE(eventually([&] { return has_token(*token); }));
  EXPECT_EQ(token->last_error(), "");
}

TEST_F(access_token_keeper_test, an_account_that_is_refused_has_no_credentials) {
  faults(R"({"token_status":400})");
  access_token_keeper keeper{token_options()};
  const auto token = keeper.token_for(simulator_.tls().service_account);
  ASSERT_TRUE(eventually([&] { return token->obstacle() == fcm_no_credentials; }));
  EXPECT_NE(token->last_error().find("invalid_grant"), std::string::npos) << token->last_error();
}

TEST_F(access_token_keeper_test, nobody_listens) {
  const auto file = own_file("nobody.json");
  sim::write_service_account(
    [&] {
      auto files = simulator_.tls();
      files.service_account = file;
      return files;
    }(),
    "https://localhost:1/token");
  access_token_keeper keeper{token_options()};
  const auto token = keeper.token_for(file);
  ASSERT_TRUE(eventually([&] { return !token->last_error().empty(); }));
  EXPECT_EQ(token->obstacle(), fcm_no_access_token);
}

TEST_F(access_token_keeper_test,
       a_token_that_is_said_to_live_for_ever_is_not_fetched_again_at_once) {
  faults(R"({"token_lifetime_s":10000000000})");
  access_token_keeper keeper{token_options()};
  const auto token = keeper.token_for(simulator_.tls().service_account);
  ASSERT_TRUE(eventually(
    [&] { return !token->last_error().empty() || has_token(*token) || token_requests() > 1; }));
  EXPECT_TRUE(has_token(*token));
  EXPECT_EQ(token_requests(), 1u);
}

TEST_F(access_token_keeper_test, a_file_that_cannot_be_used_is_told_at_once_and_read_again) {
  const auto file = own_file("late.json");
  std::filesystem::remove(file);
  auto options = token_options();
  access_token_keeper keeper{options};
  const auto token = keeper.token_for(file);
  EXPECT_EQ(token->last_error(), file.string() + ": No such file or directory");
  EXPECT_EQ(token->obstacle(), fcm_no_credentials);
  own_file("late.json");
  EXPECT_TRUE(eventually([&] { return has_token(*token); }));
}

TEST_F(access_token_keeper_test, the_file_of_an_account_that_was_refused_is_read_again) {
  const auto file = own_file("mended.json");
  auto files = simulator_.tls();
  files.service_account = file;
  sim::write_service_account(files, "https://localhost:" + std::to_string(simulator_.fcm_port()) +
                                      "/nothing-is-here");
  access_token_keeper keeper{token_options()};
  const auto token = keeper.token_for(file);
  ASSERT_TRUE(eventually([&] { return token->obstacle() == fcm_no_credentials; }));
  own_file("mended.json");
  EXPECT_TRUE(eventually([&] { return has_token(*token); }));
}

TEST_F(access_token_keeper_test, a_reload_fetches_with_what_is_in_the_file) {
  const auto file = own_file("rotated.json");
  access_token_keeper keeper{token_options()};
  const auto token = keeper.token_for(file);
  ASSERT_TRUE(eventually([&] { return has_token(*token); }));
  std::promise<std::uint32_t> told;
  keeper.reload([&] { told.set_value(serial_of(*token)); });
  EXPECT_EQ(told.get_future().get(), 2u);

  std::ofstream{file} << "{}";
  std::promise<std::string> failed;
  keeper.reload([&] { failed.set_value(token->last_error()); });
  EXPECT_EQ(failed.get_future().get(), file.string() + ": \"type\" is not \"service_account\"");
  EXPECT_TRUE(has_token(*token)) << "the token lasts as long as it lasts";
}

TEST_F(access_token_keeper_test, a_file_that_cannot_be_used_is_logged) {
  const auto file = own_file("spoilt.json");
  tests::log_capture log;
  {
    access_token_keeper keeper{token_options()};
    const auto token = keeper.token_for(file);
    ASSERT_TRUE(eventually([&] { return has_token(*token); }));
    std::ofstream{file} << "{}";
    std::promise<void> told;
    keeper.reload([&] { told.set_value(); });
    told.get_future().wait();
  }
  EXPECT_NE(log.text().find("event=no_access_token account=" + file.string() +
                            " refused=true error=\"" + file.string() +
                            R"(: \"type\" is not \"service_account\"")"),
            std::string::npos)
    << log.text();
}

TEST_F(access_token_keeper_test, a_reload_without_accounts_is_over_at_once) {
  access_token_keeper keeper{token_options()};
  std::promise<void> told;
  keeper.reload([&] { told.set_value(); });
  EXPECT_EQ(told.get_future().wait_for(60s), std::future_status::ready);
}

TEST_F(access_token_keeper_test, a_refused_token_is_replaced_once_and_at_once) {
  access_token_keeper keeper{token_options()};
  const auto token = keeper.token_for(simulator_.tls().service_account);
  ASSERT_TRUE(eventually([&] { return has_token(*token); }));
  const auto now = access_token::clock::now();
  EXPECT_FALSE(token->report_refused(1, now));
  EXPECT_FALSE(token->report_refused(1, now));
  ASSERT_TRUE(eventually([&] { return serial_of(*token) == 2; }));
  EXPECT_FALSE(token->report_refused(1, now)) << "a late answer to the one before";
  EXPECT_EQ(token_requests(), 2u);
  EXPECT_TRUE(has_token(*token));
}

TEST_F(access_token_keeper_test, three_tokens_in_a_row_that_are_refused_mean_the_account) {
  auto options = token_options();
  options.least_interval = 50ms;
  access_token_keeper keeper{options};
  const auto token = keeper.token_for(simulator_.tls().service_account);
  for (const std::uint32_t serial : {1u, 2u}) {
    ASSERT_TRUE(eventually([&] { return serial_of(*token) == serial; }));
    EXPECT_FALSE(token->report_refused(serial, access_token::clock::now()));
  }
  ASSERT_TRUE(eventually([&] { return serial_of(*token) == 3; }));
  EXPECT_TRUE(token->report_refused(3, access_token::clock::now()));
  EXPECT_TRUE(token->report_refused(3, access_token::clock::now()));
  EXPECT_TRUE(has_token(*token)) << "a probe needs one";
  EXPECT_TRUE(eventually([&] { return serial_of(*token) == 4; }));
}

TEST_F(access_token_keeper_test, everybody_is_told_of_each_new_token) {
  std::promise<std::filesystem::path> told;
  auto options = token_options();
  options.on_renewed = [&](const std::filesystem::path& account) { told.set_value(account); };
  faults(R"({"token_status":400})");
  access_token_keeper keeper{options};
  const auto token = keeper.token_for(simulator_.tls().service_account);
  auto renewed = told.get_future();
  ASSERT_TRUE(eventually([&] { return token->obstacle() == fcm_no_credentials; }));
  EXPECT_EQ(renewed.wait_for(0s), std::future_status::timeout) << "there is none yet";
  faults(R"({"token_status":0})");
  ASSERT_EQ(renewed.wait_for(60s), std::future_status::ready)
    << "an account that was refused is asked about again";
  EXPECT_EQ(renewed.get(), simulator_.tls().service_account);
  EXPECT_TRUE(has_token(*token));
}

TEST_F(access_token_keeper_test, an_endpoint_that_cannot_be_connected_to_is_shown_until_it_can) {
  fake_clock clock;
  breaker_board breakers;
  connection_board connections{breakers, clock};
  auto options = token_options();
  options.board = &connections;
  options.ca_file = simulator_.tls().server_cert; // not the one that signed it
  {
    access_token_keeper keeper{options};
    keeper.token_for(simulator_.tls().service_account);
    ASSERT_TRUE(eventually([&] { return !breakers.list().empty(); }));
  }
  const auto shown = breakers.list().front();
  EXPECT_EQ(shown.place.kind, breaker_kind::connection);
  EXPECT_EQ(shown.place.dest.provider, platform::fcm);
  EXPECT_NE(shown.reason.find("certificate verify failed"), std::string::npos) << shown.reason;
  options.ca_file = token_options().ca_file;
  access_token_keeper keeper{options};
  const auto token = keeper.token_for(simulator_.tls().service_account);
  ASSERT_TRUE(eventually([&] { return has_token(*token); }));
  EXPECT_TRUE(breakers.list().empty());
}

TEST_F(access_token_keeper_test, a_token_outlives_its_keeper) {
  std::shared_ptr<access_token> token;
  {
    access_token_keeper keeper{token_options()};
    token = keeper.token_for(simulator_.tls().service_account);
    ASSERT_TRUE(eventually([&] { return has_token(*token); }));
  }
  EXPECT_FALSE(token->report_refused(1, access_token::clock::now()));
  EXPECT_FALSE(has_token(*token));
}

TEST_F(access_token_keeper_test, it_can_go_while_it_fetches) {
  faults(R"({"stall":true})");
  access_token_keeper keeper{token_options()};
  keeper.token_for(simulator_.tls().service_account);
  ASSERT_TRUE(eventually([&] { return token_requests() == 1; }));
}

} // namespace
