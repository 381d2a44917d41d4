#include "adapters/simulator/provider_connection.hpp"

#include "adapters/simulator/http1_session.hpp"
#include "adapters/simulator/http2_session.hpp"
#include "adapters/simulator/provider_server.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/system/errc.hpp>
#include <nghttp2/nghttp2.h>

#include <string_view>
#include <utility>

namespace signalbox::sim {

namespace asio = boost::asio;

namespace {

constexpr std::string_view preface{NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN};

std::string text_of(const asio::ip::tcp::endpoint& peer) {
  return peer.address().to_string() + ":" + std::to_string(peer.port());
}

} // namespace

provider_connection::provider_connection(provider_server& server)
  : server_{server}, stream_{std::make_shared<tls_stream>(server.executor(), server.tls_context(),
                                                          *this)} {}

provider_connection::~provider_connection() {
  stream_->detach();
}

provider_service& provider_connection::service() noexcept {
  return server_.service();
}

void provider_connection::start() {
  boost::system::error_code gone_already;
  peer_ = socket().remote_endpoint(gone_already);
  stream_->start_server(service().takes_http1() ? tls_stream::versions::http2_and_http1
                                                : tls_stream::versions::http2);
}

void provider_connection::on_open() {
  service().stats().count_connection();
  const auto agreed = stream_->agreed_protocol();
  if (!agreed.empty())
    open_session(agreed == "h2");
  else if (!service().takes_http1())
    open_session(true);
}

void provider_connection::open_session(bool is_http2) {
  if (is_http2)
    session_ = std::make_unique<http2_session>(*this);
  else
    session_ = std::make_unique<http1_session>(*this);
}

bool provider_connection::on_bytes(std::span<const std::uint8_t> bytes) {
  if (!session_) {
    first_bytes_.append(bytes.begin(), bytes.end());
    if (first_bytes_.size() < preface.size() && preface.starts_with(first_bytes_))
      return true;
    open_session(first_bytes_.starts_with(preface));
    bytes = {reinterpret_cast<const std::uint8_t*>(first_bytes_.data()), first_bytes_.size()};
  }
  if (session_->on_bytes(bytes))
    return true;
  if (is_resetting_) {
    // A close with this option sends RST instead of an orderly end.
    boost::system::error_code ignored;
    socket().set_option(asio::socket_base::linger{true, 0}, ignored);
  }
  return false;
}

void provider_connection::fill(std::vector<std::uint8_t>& out, std::size_t limit) {
  if (!session_)
    return;
  session_->fill(out, limit);
  if (out.empty() && session_->is_over())
    stream_->shutdown();
}

bool provider_connection::is_due(const answer& reply, std::int32_t stream_id) {
  ++requests_;
  if (reply.what == answer::fate::sent)
    return !server_.postpone(*this, stream_id);
  if (reply.is_counted)
    service().stats().count_unanswered();
  if (reply.what == answer::fate::reset) {
    is_resetting_ = true;
    explain("reset, by the fault mix", false);
  }
  return false;
}

void provider_connection::send_postponed(std::int32_t stream_id) {
  if (stream_->is_open())
    session_->send_postponed(stream_id);
}

void provider_connection::update_max_streams() {
  if (!stream_->is_open() || !session_)
    return;
  session_->update_max_streams();
  stream_->flush();
}

void provider_connection::stop() {
  explain("the simulator stops", false);
  if (stream_->is_open() && session_)
    session_->say_goodbye();
  stream_->shutdown();
}

void provider_connection::explain(std::string reason, bool is_trouble) {
  if (!reason_.empty())
    return;
  reason_ = std::move(reason);
  is_trouble_ = is_trouble;
}

void provider_connection::explain_end(tls_stream::error_code error) {
  if (error == boost::system::errc::protocol_not_supported)
    explain(service().takes_http1()
              ? "the protocols that the client offers by ALPN are neither h2 nor http/1.1"
              : "the protocols that the client offers by ALPN do not include h2",
            true);
  else if (!error)
    explain("ended in order", false);
  else if (error == asio::error::eof || error == asio::ssl::error::stream_truncated ||
           error == asio::error::connection_reset || error == asio::error::broken_pipe)
    explain("the client closed it", false);
  else if (error == asio::error::operation_aborted)
    explain("cut off", false);
  else
    explain(error.message(), true);
}

void provider_connection::on_close(tls_stream::error_code error) {
  explain_end(error);
  server_.log().note({server_.name(), text_of(peer_), requests_, reason_, is_trouble_});
  if (session_)
    service().stats().count_unanswered(session_->unanswered());
  server_.forget(*this);
}

} // namespace signalbox::sim
