#include "adapters/http2/delivery_options.hpp"

namespace signalbox {

pool_options pool_options_to(const destination& dest, const network_host& server,
                             const delivery_options& options) {
  pool_options pool;
  pool.connections = options.connections;
  pool.reconnect = options.reconnect;
  static_cast<connection_limits&>(pool.connection) = options;
  pool.connection.server = server;
  pool.connection.dest = dest;
  pool.connection.board = options.board;
  pool.connection.proxy = options.proxy.for_host(server.host);
  return pool;
}

} // namespace signalbox
