#include "adapters/http2/tls_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/errc.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <chrono>
#include <string_view>
#include <utility>

namespace signalbox {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;

namespace {

constexpr std::size_t read_size = 32 * 1024;
constexpr std::size_t largest_frame = 16 * 1024 + 9;
constexpr auto notify_timeout = std::chrono::seconds{2};
// Of ALPN, each after its length; the best first.
constexpr unsigned char protocols[] = {2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr unsigned int h2_alone = 3;

template <unsigned int Size>
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned int in_size, void*) {
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size, protocols, Size, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

// The way to refuse what is offered (RFC 7301, 3.2), sent or received.
bool is_alert_about_alpn(const tls_stream::error_code& error) {
  const auto reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
  return error.category() == asio::error::get_ssl_category() &&
         (reason == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL ||
          reason == SSL_R_NO_APPLICATION_PROTOCOL);
}

bool is_address(const std::string& host) {
  tls_stream::error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

} // namespace

tls_stream::tls_stream(const asio::any_io_executor& executor, ssl::context& context,
                       handler& session)
  : stream_{executor, context}, notify_deadline_{executor}, handler_{&session}, in_(read_size) {
  out_.reserve(write_limit + largest_frame);
}

void tls_stream::start_client(const std::string& host) {
  error_code error;
  if (!configure_client(host, error))
    return request_close(error);
  handshake(ssl::stream_base::client);
}

void tls_stream::start_server(versions taken) {
  auto* tls = stream_.native_handle();
  SSL_CTX_set_alpn_select_cb(SSL_get_SSL_CTX(tls),
                             taken == versions::http2 ? select_protocol<h2_alone>
                                                      : select_protocol<sizeof protocols>,
                             nullptr);
  SSL_set_min_proto_version(tls, TLS1_2_VERSION);
  handshake(ssl::stream_base::server);
}

bool tls_stream::configure_client(const std::string& host, error_code& error) {
  auto* tls = stream_.native_handle();
  SSL_set_min_proto_version(tls, TLS1_2_VERSION);
  SSL_set_alpn_protos(tls, protocols, h2_alone);
  // RFC 6066, section 3: literal addresses are not permitted as a server name.
  if (!is_address(host) && SSL_set_tlsext_host_name(tls, host.c_str()) != 1) {
    error.assign(static_cast<int>(ERR_get_error()), asio::error::get_ssl_category());
    return false;
  }
  stream_.set_verify_mode(ssl::verify_peer, error);
  if (!error)
    stream_.set_verify_callback(ssl::host_name_verification{host}, error);
  return !error;
}

std::string_view tls_stream::agreed_protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  // Asio's hands out the connection's handle to those who may change it.
  SSL_get0_alpn_selected(const_cast<tls_stream*>(this)->stream_.native_handle(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string tls_stream::certificate_error() const {
  // Asio's hands out the connection's handle to those who may change it.
  const auto error = SSL_get_verify_result(const_cast<tls_stream*>(this)->stream_.native_handle());
  if (error == X509_V_OK)
    return {};
  // What a verification callback refuses, here for the host's name.
  if (error == X509_V_ERR_UNSPECIFIED)
    return "it is not for this host";
  return X509_verify_cert_error_string(error);
}

void tls_stream::handshake(ssl::stream_base::handshake_type type) {
  error_code ignored;
  socket().set_option(asio::ip::tcp::no_delay{true}, ignored);
  stream_.async_handshake(
    type, [self = shared_from_this(), type](error_code error) { self->on_handshake(error, type); });
}

void tls_stream::on_handshake(error_code error, ssl::stream_base::handshake_type type) {
  if (state_ != state::connecting)
    return;
  if (!error && type == ssl::stream_base::client && agreed_protocol() != "h2")
    error = make_error_code(boost::system::errc::protocol_not_supported);
  if (error && is_alert_about_alpn(error))
    error = make_error_code(boost::system::errc::protocol_not_supported);
  if (error)
    return finish(error);
  state_ = state::open;
  call_handler([this] { handler_->on_open(); });
  flush();
  read();
}

void tls_stream::read() {
  if (state_ == state::closed)
    return;
  stream_.async_read_some(asio::buffer(in_),
                          [self = shared_from_this()](error_code error, std::size_t size) {
                            self->on_read(error, size);
                          });
}

void tls_stream::on_read(error_code error, std::size_t size) {
  if (state_ == state::closed)
    return;
  if (error)
    return finish(state_ == state::notifying ? error_code{} : error);
  if (state_ == state::open) {
    call_handler([this, size] {
      if (!handler_->on_bytes({in_.data(), size}))
        request_close(make_error_code(boost::system::errc::protocol_error));
    });
    flush();
  }
  read();
}

void tls_stream::flush() {
  if ((state_ != state::open && state_ != state::draining) || writing_ || in_handler_)
    return;
  out_.clear();
  call_handler([this] { handler_->fill(out_, write_limit); });
  if (state_ == state::closed)
    return;
  if (out_.empty()) {
    if (state_ == state::draining)
      notify();
    return;
  }
  writing_ = true;
  asio::async_write(stream_, asio::buffer(out_),
                    [self = shared_from_this()](error_code error, std::size_t) {
                      self->writing_ = false;
                      if (self->state_ == state::closed)
                        return;
                      if (error)
                        return self->finish(error);
                      self->flush();
                    });
}

void tls_stream::close() {
  request_close(asio::error::operation_aborted);
}

void tls_stream::shutdown() {
  if (state_ == state::connecting)
    return close();
  if (state_ != state::open)
    return;
  state_ = state::draining;
  flush();
}

void tls_stream::notify() {
  state_ = state::notifying;
  notify_deadline_.expires_after(notify_timeout);
  notify_deadline_.async_wait([self = shared_from_this()](error_code error) {
    if (!error)
      self->finish({});
  });
  stream_.async_shutdown([self = shared_from_this()](error_code) { self->finish({}); });
}

void tls_stream::detach() {
  handler_ = nullptr;
  finish(asio::error::operation_aborted);
}

void tls_stream::request_close(error_code error) {
  if (!in_handler_)
    return finish(error);
  if (!close_requested_)
    close_requested_ = error;
}

void tls_stream::finish(error_code error) {
  if (state_ == state::closed)
    return;
  // The handler may drop the last reference to this stream.
  auto self = shared_from_this();
  state_ = state::closed;
  notify_deadline_.cancel();
  error_code ignored;
  socket().close(ignored);
  if (handler_ != nullptr)
    std::exchange(handler_, nullptr)->on_close(error);
}

template <class Call>
void tls_stream::call_handler(Call call) {
  in_handler_ = true;
  call();
  in_handler_ = false;
  if (close_requested_)
    finish(*close_requested_);
}

} // namespace signalbox
