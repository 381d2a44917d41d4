#pragma once

#include "messages/result.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

namespace signalbox {

/// A service account as Google's console hands it out.
struct service_account {
  std::string project;
  std::string client_email;
  std::string private_key_id; ///< may be empty
  std::string private_key;    ///< RSA, PEM
  struct endpoint {
    std::string host;
    std::string port;
    std::string path;
  } token_endpoint;      ///< of `token_uri`
  std::string token_uri; ///< https
};

/// Reads a service account file. Fails with errc::invalid, naming the file and what is wrong, and
/// never with a word of the key.
result<service_account> read_service_account(const std::filesystem::path& file);

/// Parses the text of one; `name` stands in errors.
result<service_account> parse_service_account(std::string_view text, const std::string& name);

/// The assertion that is exchanged for an access token: a JWT with RS256 that lasts an hour (RFC
/// 7523; Google, "Using OAuth 2.0 for Server to Server Applications").
result<std::string> sign_assertion(const service_account& account, std::chrono::sys_seconds now);

} // namespace signalbox
