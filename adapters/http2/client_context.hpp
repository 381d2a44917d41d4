#pragma once

#include <boost/asio/ssl/context.hpp>

#include <string>

namespace signalbox {

/// The TLS context of clients that verify their server by `ca_file`, a PEM bundle of trust anchors
/// (empty: the system's). Throws std::runtime_error, naming the file, when it cannot be read.
boost::asio::ssl::context make_client_context(const std::string& ca_file);

} // namespace signalbox
