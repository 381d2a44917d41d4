#include "runtime/start_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace signalbox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view mark = "\xEF\xBB\xBF";

using key_ptr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

std::string pem_of(const key_ptr& key) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), BIO_free};
  PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string ec_key(const char* group) {
  return pem_of({EVP_EC_gen(group), EVP_PKEY_free});
}

std::string rsa_key() {
  return pem_of({EVP_RSA_gen(2048), EVP_PKEY_free});
}

std::string account(std::string key) {
  for (std::size_t at = 0; (at = key.find('\n', at)) != std::string::npos; at += 2)
    key.replace(at, 1, "\\n");
  return R"({"type":"service_account","project_id":"p","client_email":"a@b","private_key":")" +
         key + R"(","token_uri":"https://localhost/token"})";
}

std::vector<std::string> keys(const std::vector<broken_rule>& broken) {
  std::vector<std::string> result;
  for (auto& rule : broken)
    result.push_back(rule.key);
  return result;
}

class start_rules : public testing::Test {
protected:
  start_rules() {
    auto pattern = (std::filesystem::temp_directory_path() / "start-rules-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    settings_.http.port = 0;
    settings_.store.path = directory_ / "signalbox.db";
    settings_.apns.bundle = "com.example.app";
    settings_.apns.key_id = "ABC1234567";
    settings_.apns.team_id = "DEF1234567";
  }

  ~start_rules() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path write(const std::string& name, std::string_view text) const {
    std::ofstream{directory_ / name} << text;
    std::filesystem::permissions(directory_ / name, std::filesystem::perms{0600});
    return directory_ / name;
  }

  std::vector<std::string> broken() const { return keys(check_start_rules(settings_)); }

  std::filesystem::path directory_;
  node_settings settings_;
};

TEST_F(start_rules, hold_without_credentials) {
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(start_rules, want_a_signing_key_that_apns_takes) {
  const auto good = ec_key("P-256");
  settings_.apns.key_file = write("key.p8", good);
  EXPECT_THAT(broken(), IsEmpty());
  for (const auto& bad : {ec_key("P-384"), rsa_key(), good.substr(0, good.size() / 2),
                          std::string{"-----BEGIN PRIVATE KEY-----\n"}, std::string{}}) {
    write("key.p8", bad);
    EXPECT_THAT(broken(), ElementsAre("apns.key-file")) << bad;
  }
}

TEST_F(start_rules, want_a_service_account_with_a_key_that_signs) {
  const auto good = account(rsa_key());
  settings_.fcm.service_account_file = write("account.json", good);
  EXPECT_THAT(broken(), IsEmpty());
  for (const auto& bad : {account(ec_key("P-256")), good.substr(0, good.size() / 2),
                          std::string{"{}"}, account("-----BEGIN PRIVATE KEY-----\n")}) {
    write("account.json", bad);
    EXPECT_THAT(broken(), ElementsAre("fcm.service-account-file")) << bad;
  }
}

TEST_F(start_rules, want_trust_anchors_in_pem) {
  settings_.apns.ca_file = settings_.fcm.ca_file = write("ca.pem", "no certificate\n");
  EXPECT_THAT(broken(), ElementsAre("apns.ca-file", "fcm.ca-file"));
  settings_.apns.ca_file = directory_;
  settings_.fcm.ca_file = directory_ / "none.pem";
  EXPECT_THAT(broken(), ElementsAre("apns.ca-file", "fcm.ca-file"));
}

TEST_F(start_rules, skip_byte_order_marks) {
  settings_.apns.key_file = write("key.p8", std::string{mark} + ec_key("P-256"));
  settings_.fcm.service_account_file =
    write("account.json", std::string{mark} + account(rsa_key()));
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(start_rules, want_files_that_can_be_written) {
  settings_.store.path = directory_ / "none" / "signalbox.db";
  settings_.log.file = directory_ / "none" / "node.log";
  EXPECT_THAT(broken(), ElementsAre("store.path", "log.file"));
  settings_.store.path = settings_.log.file = directory_;
  EXPECT_THAT(broken(), ElementsAre("store.path", "log.file"));
  settings_.store.path = directory_ / "signalbox.db";
  settings_.log.file = write("node.log", "");
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(start_rules, want_a_database_of_our_own) {
  settings_.store.path = write("other.db", "no database at all, but as long as the head of one: " +
                                             std::string(100, '.'));
  const auto found = check_start_rules(settings_);
  ASSERT_THAT(keys(found), ElementsAre("store.path"));
  EXPECT_THAT(found[0].text, HasSubstr("other.db is not an SQLite database"));
}

TEST_F(start_rules, want_a_proxy_of_the_environment_that_can_be_used) {
  setenv("HTTPS_PROXY", "https://proxy:3128", 1);
  EXPECT_THAT(broken(), IsEmpty()); // nobody asks for it
  settings_.apns.key_file = write("key.p8", ec_key("P-256"));
  EXPECT_THAT(broken(), ElementsAre("HTTPS_PROXY"));
  settings_.apns.proxy = "http://proxy:3128";
  EXPECT_THAT(broken(), IsEmpty());
  unsetenv("HTTPS_PROXY");
}

TEST_F(start_rules, name_an_address_that_is_not_of_this_machine) {
  settings_.http.address = "192.0.2.1";
  const auto found = check_start_rules(settings_);
  ASSERT_THAT(keys(found), ElementsAre("http.address"));
  EXPECT_THAT(found[0].text, HasSubstr("cannot listen on 192.0.2.1 port 0"));
}

TEST_F(start_rules, warn_of_secrets_that_every_user_can_read) {
  settings_.apns.key_file = write("key.p8", "");
  settings_.fcm.service_account_file = write("account.json", "");
  EXPECT_THAT(files_open_to_others(settings_), IsEmpty());
  std::filesystem::permissions(settings_.apns.key_file, std::filesystem::perms{0644});
  const auto open = files_open_to_others(settings_);
  ASSERT_THAT(keys(open), ElementsAre("apns.key-file"));
  EXPECT_THAT(open[0].text, HasSubstr("key.p8 can be read by every user"));
}

} // namespace
} // namespace signalbox
