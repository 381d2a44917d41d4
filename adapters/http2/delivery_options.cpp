#include "adapters/http2/delivery_options.hpp"

namespace signalbox {

pool_options pool_options_to(const network_host& server, const delivery_options& options) {
  pool_options pool;
  pool.connections = options.connections;
  pool.reconnect = options.reconnect;
  pool.connection.server = server;
  pool.connection.proxy = options.proxy.for_host(server.host);
  pool.connection.max_streams = options.max_streams;
  pool.connection.request_timeout = options.request_timeout;
  pool.connection.connect_timeout = options.connect_timeout;
  pool.connection.ping_interval = options.ping_interval;
  pool.connection.ping_timeout = options.ping_timeout;
  pool.connection.idle_timeout = options.idle_timeout;
  return pool;
}

std::string authority_of(const network_host& server) {
  const bool is_v6 = server.host.find(':') != std::string::npos;
  const auto host = is_v6 ? "[" + server.host + "]" : server.host;
  return server.port == "443" ? host : host + ":" + server.port;
}

} // namespace signalbox
