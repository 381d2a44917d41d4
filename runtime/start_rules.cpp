#include "runtime/start_rules.hpp"

#include "adapters/apns/provider_token_keeper.hpp"
#include "adapters/fcm/service_account.hpp"
#include "adapters/http2/client_context.hpp"
#include "adapters/http2/proxy_settings.hpp"
#include "adapters/store/sqlite/database_file.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace signalbox {

namespace {

namespace fs = std::filesystem;

using rules = std::vector<broken_rule>;

std::string system_text(int error) {
  return std::generic_category().message(error);
}

void add(rules& to, const char* key, std::string text) {
  if (!text.empty())
    to.push_back({key, std::move(text)});
}

std::string trouble_with_ca(const fs::path& file) {
  try {
    make_client_context(file.string());
    return {};
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

std::string trouble_with_key(const node_settings::apns_group& apns) {
  provider_token token{{apns.team_id, apns.key_id, apns.key_file},
                       {std::chrono::minutes{50}, std::chrono::minutes{20}}};
  return token.refresh(provider_token_keeper::system_time());
}

std::string trouble_with_account(const fs::path& file) {
  const auto account = read_service_account(file);
  if (!account.ok())
    return account.message;
  return sign_assertion(account.value, std::chrono::sys_seconds{}).message;
}

/// The directory that a file is made in, or what keeps it from being made.
std::string trouble_with_directory_of(const fs::path& file) {
  const auto directory = file.has_parent_path() ? file.parent_path() : fs::path{"."};
  return access(directory.c_str(), W_OK | X_OK) == 0 ? "" : system_text(errno);
}

std::string trouble_writing(const fs::path& file) {
  std::error_code ignored;
  if (fs::is_directory(file, ignored))
    return system_text(EISDIR);
  if (fs::exists(file, ignored))
    return access(file.c_str(), W_OK) == 0 ? "" : system_text(errno);
  return trouble_with_directory_of(file);
}

std::string trouble_with_store(const fs::path& file) {
  if (const auto refused = sqlite::check_database_file(file.string()))
    return file.string() + " " + refused->message;
  const auto why = trouble_writing(file);
  return why.empty() ? why : file.string() + " cannot be written: " + why;
}

std::string trouble_listening(const node_settings::http_group& http) {
  namespace asio = boost::asio;
  asio::io_context io;
  boost::system::error_code error;
  const asio::ip::tcp::endpoint at{asio::ip::make_address(http.address, error), http.port};
  asio::ip::tcp::acceptor acceptor{io};
  if (!error)
    acceptor.open(at.protocol(), error);
  if (!error)
    acceptor.set_option(asio::socket_base::reuse_address{true}, error);
  if (!error)
    acceptor.bind(at, error);
  if (!error || error == asio::error::address_in_use)
    return {};
  return "cannot listen on " + http.address + " port " + std::to_string(http.port) + ": " +
         error.message();
}

} // namespace

std::vector<broken_rule> check_start_rules(const node_settings& settings) {
  rules broken;
  add(broken, "http.address", trouble_listening(settings.http));
  add(broken, "store.path", trouble_with_store(settings.store.path));
  const auto& apns = settings.apns;
  if (!apns.key_file.empty())
    add(broken, "apns.key-file", trouble_with_key(apns));
  add(broken, "apns.ca-file", trouble_with_ca(apns.ca_file));
  const auto& fcm = settings.fcm;
  if (!fcm.service_account_file.empty())
    add(broken, "fcm.service-account-file", trouble_with_account(fcm.service_account_file));
  if (!fcm.ca_file.empty())
    add(broken, "fcm.ca-file", trouble_with_ca(fcm.ca_file));
  const bool asks_environment = (!apns.key_file.empty() && apns.proxy.empty()) ||
                                (!fcm.service_account_file.empty() && fcm.proxy.empty());
  if (asks_environment)
    add(broken, "HTTPS_PROXY", proxy_settings_from_environment().message);
  if (!settings.log.file.empty()) {
    const auto log = trouble_writing(settings.log.file);
    if (!log.empty())
      add(broken, "log.file", settings.log.file.string() + " cannot be written: " + log);
  }
  return broken;
}

std::vector<broken_rule> files_open_to_others(const node_settings& settings) {
  rules open;
  const std::pair<const char*, const fs::path&> secrets[] = {
    {"apns.key-file", settings.apns.key_file},
    {"fcm.service-account-file", settings.fcm.service_account_file}};
  for (const auto& [key, file] : secrets) {
    struct stat info {};
    if (!file.empty() && stat(file.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0)
      open.push_back(
        {key, file.string() + " can be read by every user: chmod o-r takes that away"});
  }
  return open;
}

} // namespace signalbox
