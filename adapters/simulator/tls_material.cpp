#include "adapters/simulator/tls_material.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

namespace signalbox::sim {

namespace fs = std::filesystem;

namespace {

template <auto Free>
struct deleter {
  template <class T>
  void operator()(T* value) const {
    Free(value);
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, deleter<EVP_PKEY_free>>;
using cert_ptr = std::unique_ptr<X509, deleter<X509_free>>;
using bio_ptr = std::unique_ptr<BIO, deleter<BIO_free_all>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION, deleter<X509_EXTENSION_free>>;

constexpr long one_day_s = 24 * 60 * 60;
constexpr long ten_years_s = 3650 * one_day_s;

void require(bool ok, const char* what) {
  if (!ok)
    throw std::runtime_error{std::string{"OpenSSL: "} + what + " failed"};
}

key_ptr make_key() {
  key_ptr key{EVP_EC_gen("P-256")};
  require(key != nullptr, "EVP_EC_gen");
  return key;
}

void add_extension(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  extension_ptr extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
  require(extension && X509_add_ext(cert, extension.get(), -1) == 1, "X509V3_EXT_conf_nid");
}

cert_ptr make_cert(const char* name, EVP_PKEY* key) {
  cert_ptr cert{X509_new()};
  require(cert != nullptr, "X509_new");
  std::uint64_t serial = 0;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "RAND_bytes");
  X509_set_version(cert.get(), X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -one_day_s);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), ten_years_s);
  X509_set_pubkey(cert.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  return cert;
}

void sign(X509* cert, X509* issuer, EVP_PKEY* issuer_key) {
  X509_set_issuer_name(cert, X509_get_subject_name(issuer));
  require(X509_sign(cert, issuer_key, EVP_sha256()) > 0, "X509_sign");
}

// Written beside and renamed, so that a start that was cut off leaves no half file to be reused.
void write_file(const fs::path& file, bool secret, std::string_view text) {
  auto partial = file;
  partial += ".partial";
  std::error_code error;
  {
    std::ofstream out{partial, std::ios::binary | std::ios::trunc};
    if (secret)
      fs::permissions(partial, fs::perms::owner_read | fs::perms::owner_write, error);
    if (!(out << text).flush())
      throw std::runtime_error{"cannot write " + partial.string()};
  }
  fs::rename(partial, file, error);
  if (error)
    throw std::runtime_error{"cannot write " + file.string() + ": " + error.message()};
}

template <class Write>
void write_pem(const fs::path& file, bool secret, Write write) {
  bio_ptr bio{BIO_new(BIO_s_mem())};
  require(bio && write(bio.get()) == 1, "writing PEM");
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  write_file(file, secret, {data, static_cast<std::size_t>(size)});
}

void write_private_key(const fs::path& file, EVP_PKEY* key) {
  write_pem(file, true, [key](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

bool covers(const fs::path& certificate, const std::vector<std::string>& names) {
  const bio_ptr file{BIO_new_file(certificate.c_str(), "r")};
  const cert_ptr cert{file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr) : nullptr};
  if (!cert)
    throw std::runtime_error{"cannot read a certificate from " + certificate.string()};
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return X509_check_host(cert.get(), name.data(), name.size(), 0, nullptr) == 1;
  });
}

void make_certificates(const tls_material& files, const std::vector<std::string>& names) {
  const auto ca_key = make_key();
  const auto ca = make_cert("Signalbox simulator CA", ca_key.get());
  add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
  sign(ca.get(), ca.get(), ca_key.get());

  const auto key = make_key();
  const auto cert = make_cert("localhost", key.get());
  add_extension(cert.get(), ca.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(cert.get(), ca.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(cert.get(), ca.get(), NID_ext_key_usage, "serverAuth");
  std::string hosts = "DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1";
  for (const auto& name : names)
    hosts += ",DNS:" + name;
  add_extension(cert.get(), ca.get(), NID_subject_alt_name, hosts);
  add_extension(cert.get(), ca.get(), NID_authority_key_identifier, "keyid:always");
  sign(cert.get(), ca.get(), ca_key.get());

  write_pem(files.ca, false, [&](BIO* out) { return PEM_write_bio_X509(out, ca.get()); });
  write_pem(files.server_cert, false,
            [&](BIO* out) { return PEM_write_bio_X509(out, cert.get()); });
  write_private_key(files.server_key, key.get());
}

void write_key_pair(const fs::path& private_half, const fs::path& public_half, key_ptr key) {
  write_private_key(private_half, key.get());
  write_pem(public_half, false, [&](BIO* out) { return PEM_write_bio_PUBKEY(out, key.get()); });
}

key_ptr make_rsa_key() {
  key_ptr key{EVP_RSA_gen(2048)};
  require(key != nullptr, "EVP_RSA_gen");
  return key;
}

} // namespace

bool is_host_name(std::string_view text) noexcept {
  constexpr std::size_t longest_name = 253;
  constexpr std::size_t longest_label = 63;
  if (text.size() > longest_name)
    return false;
  std::size_t label = 0;
  char before = '.';
  for (const char c : text) {
    const char lower = static_cast<char>(c | 0x20);
    const bool is_letter = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z');
    if (c == '.' ? before == '.' || before == '-' : !is_letter && (c != '-' || before == '.'))
      return false;
    label = c == '.' ? 0 : label + 1;
    if (label > longest_label)
      return false;
    before = c;
  }
  return before != '.' && before != '-';
}

tls_material ensure_tls_material(const fs::path& dir, const std::vector<std::string>& names) {
  std::error_code error;
  fs::create_directories(dir, error);
  if (error)
    throw std::runtime_error{"cannot make " + dir.string() + ": " + error.message()};
  tls_material files{dir,
                     dir / "ca.pem",
                     dir / "server.pem",
                     dir / "server.key",
                     dir / "apns-key.p8",
                     dir / "apns-key.pub.pem",
                     dir / "fcm-key.pem",
                     dir / "fcm-key.pub.pem",
                     dir / "service-account.json"};
  if (!fs::exists(files.ca) || !fs::exists(files.server_cert) || !fs::exists(files.server_key) ||
      !covers(files.server_cert, names))
    make_certificates(files, names);
  if (!fs::exists(files.apns_key) || !fs::exists(files.apns_public_key))
    write_key_pair(files.apns_key, files.apns_public_key, make_key());
  if (!fs::exists(files.fcm_key) || !fs::exists(files.fcm_public_key))
    write_key_pair(files.fcm_key, files.fcm_public_key, make_rsa_key());
  return files;
}

void write_service_account(const tls_material& files, std::string_view token_uri) {
  std::ostringstream key;
  key << std::ifstream{files.fcm_key}.rdbuf();
  const boost::json::object account{{"type", "service_account"},
                                    {"project_id", fcm_project},
                                    {"private_key_id", fcm_private_key_id},
                                    {"private_key", key.str()},
                                    {"client_email", fcm_client_email},
                                    {"client_id", "100000000000000000001"},
                                    {"token_uri", token_uri}};
  write_file(files.service_account, true, boost::json::serialize(account) + "\n");
}

} // namespace signalbox::sim
