#pragma once

#include <cstdint>
#include <string_view>

namespace signalbox {

/// At which step a connection to a provider failed, or was lost.
enum class connection_fault : std::uint8_t {
  resolve,  ///< no address for the host's name, or the proxy's
  connect,  ///< no address took a TCP connection
  proxy,    ///< the proxy refused the tunnel, or ended the connection
  tls,      ///< the handshake: most often a certificate that is not trusted
  alpn,     ///< the server does not speak HTTP/2
  timeout,  ///< no connection within the time there is; the reason names the step
  silence,  ///< no SETTINGS, no answer to requests or to a PING
  closed,   ///< ended by the peer
  goaway,   ///< GOAWAY with an error, or before anything was answered
  protocol, ///< what the peer sent is not HTTP/2
};

std::string_view to_string(connection_fault value);

} // namespace signalbox
