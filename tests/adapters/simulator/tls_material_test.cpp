#include "adapters/simulator/tls_material.hpp"
#include "tests/adapters/simulator/simulator_fixture.hpp"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <sstream>

namespace signalbox::sim {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream{file}.rdbuf();
  return text.str();
}

std::unique_ptr<X509, void (*)(X509*)> read_cert(const fs::path& path) {
  std::unique_ptr<FILE, int (*)(FILE*)> file{std::fopen(path.c_str(), "r"), std::fclose};
  return {PEM_read_X509(file.get(), nullptr, nullptr, nullptr), X509_free};
}

TEST(tls_material_test, the_server_certificate_is_the_authoritys_and_names_the_loopback) {
  const auto& files = test::shared_tls();
  const auto ca = read_cert(files.ca);
  const auto cert = read_cert(files.server_cert);
  ASSERT_TRUE(ca && cert);
  EXPECT_EQ(X509_verify(cert.get(), X509_get0_pubkey(ca.get())), 1);
  EXPECT_EQ(X509_check_host(cert.get(), "localhost", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(cert.get(), "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(cert.get(), "::1", 0), 1);
  EXPECT_EQ(X509_check_host(cert.get(), "example.com", 0, 0, nullptr), 0);
}

TEST(tls_material_test, keys_are_pkcs8_and_private) {
  const auto& files = test::shared_tls();
  EXPECT_TRUE(read(files.apns_key).starts_with("-----BEGIN PRIVATE KEY-----"));
  EXPECT_TRUE(read(files.apns_public_key).starts_with("-----BEGIN PUBLIC KEY-----"));
  for (const auto& file : {files.apns_key, files.server_key})
    EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(tls_material_test, reuses_what_is_there_and_makes_what_is_missing) {
  const test::temporary_directory directory;
  const auto files = ensure_tls_material(directory.path() / "new");
  const auto ca = read(files.ca);
  const auto key = read(files.apns_key);
  ensure_tls_material(files.dir);
  EXPECT_EQ(read(files.ca), ca);
  EXPECT_EQ(read(files.apns_key), key);
  fs::remove(files.server_key);
  ensure_tls_material(files.dir);
  EXPECT_NE(read(files.ca), ca);
  EXPECT_EQ(read(files.apns_key), key);
}

TEST(tls_material_test, names_are_added_to_the_certificate_also_to_one_that_is_there) {
  const test::temporary_directory directory;
  const auto files = ensure_tls_material(directory.path());
  const auto names = [&](const std::string& host) {
    return X509_check_host(read_cert(files.server_cert).get(), host.data(), host.size(), 0,
                           nullptr) == 1;
  };
  EXPECT_FALSE(names("api.push.apple.com"));
  ensure_tls_material(files.dir, {"api.push.apple.com", "fcm.googleapis.com"});
  EXPECT_TRUE(names("api.push.apple.com"));
  EXPECT_TRUE(names("fcm.googleapis.com"));
  EXPECT_TRUE(names("localhost"));
  EXPECT_FALSE(names("oauth2.googleapis.com"));
  EXPECT_EQ(
    X509_verify(read_cert(files.server_cert).get(), X509_get0_pubkey(read_cert(files.ca).get())),
    1);
  const auto certificate = read(files.server_cert);
  ensure_tls_material(files.dir, {"fcm.googleapis.com"});
  ensure_tls_material(files.dir);
  EXPECT_EQ(read(files.server_cert), certificate) << "it has that name already";
}

TEST(tls_material_test, knows_host_names) {
  for (const std::string name : {"a", "localhost", "api.push.apple.com", "x-1.example", "1.2"})
    EXPECT_TRUE(is_host_name(name)) << name;
  const std::string label(63, 'a');
  EXPECT_TRUE(is_host_name(label + "." + label));
  for (const std::string name : {"", ".", "a.", ".a", "a..b", "-a", "a-", "a-.b", "a.-b", "a b",
                                 "a,IP:1.2.3.4", "a_b", "*.a", "a\n"})
    EXPECT_FALSE(is_host_name(name)) << name;
  EXPECT_FALSE(is_host_name(label + "a"));
  EXPECT_FALSE(is_host_name(label + "." + label + "." + label + "." + label));
}

TEST(tls_material_test, names_a_certificate_that_cannot_be_read) {
  const test::temporary_directory directory;
  const auto files = ensure_tls_material(directory.path());
  std::ofstream{files.server_cert} << "x";
  try {
    ensure_tls_material(files.dir, {"example.com"});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string{error.what()}.find("server.pem"), std::string::npos);
  }
}

TEST(tls_material_test, names_a_directory_that_cannot_be_made) {
  const test::temporary_directory directory;
  std::ofstream{directory.path() / "file"} << "x";
  try {
    ensure_tls_material(directory.path() / "file" / "below");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string{error.what()}.find("below"), std::string::npos);
  }
}

} // namespace
} // namespace signalbox::sim
