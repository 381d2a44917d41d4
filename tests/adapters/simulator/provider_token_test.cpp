#include "adapters/simulator/provider_token.hpp"
#include "tests/adapters/simulator/simulator_fixture.hpp"

#include <gtest/gtest.h>

namespace signalbox::sim {
namespace {

class provider_token_test : public testing::Test {
protected:
  token_verdict verify(const std::string& token) { return verifier.verify(token, now); }

  std::string make_token(test::token_options options = {}) {
    options.issued_at_s = now - options.age_s;
    return test::make_provider_token(tls, options);
  }

  const tls_material& tls = test::shared_tls();
  provider_token_verifier verifier{tls.apns_public_key, "SIMKEY0001", "SIMTEAM001"};
  std::int64_t now = wall_time_s();
};

TEST_F(provider_token_test, accepts_its_own_tokens_again_and_again) {
  const auto token = make_token();
  const auto other = make_token({.age_s = 60});
  EXPECT_EQ(verify(token), token_verdict::valid);
  EXPECT_EQ(verify(other), token_verdict::valid);
  EXPECT_EQ(verify(token), token_verdict::valid);
}

TEST_F(provider_token_test, a_token_ages_while_it_is_known) {
  const auto token = make_token();
  EXPECT_EQ(verifier.verify(token, now + 3599), token_verdict::valid);
  EXPECT_EQ(verifier.verify(token, now + 3605), token_verdict::expired);
}

TEST_F(provider_token_test, a_token_may_be_a_minute_ahead) {
  const auto token = make_token();
  EXPECT_EQ(verifier.verify(token, now - 60), token_verdict::valid);
  EXPECT_EQ(verifier.verify(token, now - 61), token_verdict::invalid);
}

TEST_F(provider_token_test, the_time_may_have_a_fraction) {
  const auto token = make_token({.fraction = ".75"});
  EXPECT_EQ(verify(token), token_verdict::valid);
  EXPECT_EQ(verifier.verify(token, now + 3600), token_verdict::valid);
  EXPECT_EQ(verifier.verify(token, now + 3601), token_verdict::expired);
}

TEST_F(provider_token_test, refuses_times_that_are_none) {
  for (const std::string fraction : {"e300", "000000000", "\"", "]"})
    EXPECT_EQ(verify(make_token({.fraction = fraction})), token_verdict::invalid) << fraction;
}

TEST_F(provider_token_test, takes_a_signature_in_asn1) {
  const auto token = make_token({.asn1 = true});
  EXPECT_EQ(verify(token), token_verdict::valid);
  EXPECT_EQ(verify(token + "AAAA"), token_verdict::invalid);
  EXPECT_EQ(verify(token.substr(0, token.rfind('.') + 1) +
                   make_token({.age_s = 5, .asn1 = true}).substr(token.rfind('.') + 1)),
            token_verdict::invalid);
}

TEST_F(provider_token_test, refuses_what_is_not_a_token) {
  for (const std::string text : {"", "x", "a.b", "a.b.c", "a.b.c.d", "..", "!!.!!.!!"})
    EXPECT_EQ(verify(text), token_verdict::invalid) << text;
}

TEST_F(provider_token_test, refuses_other_keys_teams_and_algorithms) {
  EXPECT_EQ(verify(make_token({.header = R"({"alg":"ES256","kid":"OTHER00001"})"})),
            token_verdict::invalid);
  EXPECT_EQ(verify(make_token({.header = R"({"alg":"none","kid":"SIMKEY0001"})"})),
            token_verdict::invalid);
  EXPECT_EQ(verify(make_token({.header = R"({"alg":"ES256"})"})), token_verdict::invalid);
  EXPECT_EQ(verify(make_token({.team = "OTHER00001"})), token_verdict::invalid);
}

TEST_F(provider_token_test, refuses_a_changed_token) {
  const auto token = make_token();
  const auto signature = token.rfind('.');
  auto changed = token;
  changed[signature + 5] = changed[signature + 5] == 'A' ? 'B' : 'A';
  EXPECT_EQ(verify(changed), token_verdict::invalid);
  EXPECT_EQ(verify(token.substr(0, signature) + ".AAAA"), token_verdict::invalid);
  EXPECT_EQ(verify(token), token_verdict::valid);
}

TEST_F(provider_token_test, refuses_a_token_of_another_key) {
  const test::temporary_directory directory;
  EXPECT_EQ(verify(test::make_provider_token(ensure_tls_material(directory.path()))),
            token_verdict::invalid);
}

TEST_F(provider_token_test, survives_more_tokens_than_it_remembers) {
  const auto token = make_token();
  for (int i = 0; i < 3000; ++i)
    ASSERT_EQ(verify("a.b." + std::to_string(i)), token_verdict::invalid);
  EXPECT_EQ(verify(token), token_verdict::valid);
}

TEST(provider_token_file_test, names_a_key_file_that_it_cannot_read) {
  try {
    provider_token_verifier verifier{"/nonexistent/key.pem", "k", "t"};
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string{error.what()}.find("/nonexistent/key.pem"), std::string::npos);
  }
}

} // namespace
} // namespace signalbox::sim
