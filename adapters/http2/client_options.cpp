#include "adapters/http2/client_options.hpp"

namespace signalbox {

namespace {

std::string host_in_uri(const std::string& host) {
  const bool is_v6 = host.find(':') != std::string::npos;
  return is_v6 ? "[" + host + "]" : host;
}

} // namespace

std::string host_and_port(const network_host& at) {
  return host_in_uri(at.host) + ":" + at.port;
}

std::string authority_of(const network_host& server) {
  return server.port == "443" ? host_in_uri(server.host) : host_and_port(server);
}

} // namespace signalbox
