#include "adapters/http2/client_context.hpp"

#include "adapters/io/text_file.hpp"

#include <boost/asio/buffer.hpp>
#include <openssl/ssl.h>

#include <stdexcept>

namespace signalbox {

namespace asio = boost::asio;

asio::ssl::context make_client_context(const std::string& ca_file) {
  asio::ssl::context context{asio::ssl::context::tls_client};
  // AES-128 first: the cheapest one on every server that matters.
  SSL_CTX_set_ciphersuites(
    context.native_handle(),
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
  boost::system::error_code error;
  std::string why;
  if (ca_file.empty())
    context.set_default_verify_paths(error);
  else if (const auto anchors = read_text_file(ca_file, why))
    context.add_certificate_authority(asio::buffer(*anchors), error);
  if (!why.empty())
    throw std::runtime_error{"trust anchors " + ca_file + ": " + why};
  if (error)
    throw std::runtime_error{"trust anchors " + ca_file + ": " + error.message()};
  return context;
}

} // namespace signalbox
