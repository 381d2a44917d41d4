#include "adapters/http2/client_connection.hpp"

#include "actors/connection_board.hpp"
#include "adapters/http2/connector.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <utility>

namespace signalbox {

namespace {

constexpr auto protocol_error = "HTTP/2 protocol error";

} // namespace

client_connection::client_connection(const boost::asio::any_io_executor& executor,
                                     boost::asio::ssl::context& context, client_options options,
                                     observer& owner)
  : options_{std::move(options)}, owner_{owner}, session_{options_.max_streams, *this,
                                                          options_.keeps},
    stream_{std::make_shared<tls_stream>(executor, context, static_cast<handler&>(*this))},
    connector_{std::make_shared<connector>(
      std::shared_ptr<boost::asio::ip::tcp::socket>{stream_, &stream_->socket()}, options_)},
    request_timer_{executor}, life_timer_{executor}, entries_(options_.max_streams) {}

client_connection::~client_connection() {
  connector_->cancel();
  stream_->detach();
}

void client_connection::open() {
  life_timer_.expires_after(options_.connect_timeout);
  life_timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    if (auto self = weak.lock(); self && !error && self->state_ == state::connecting)
      self->fail_to_connect(boost::asio::error::timed_out);
  });
  connector_->start([this](boost::system::error_code error) {
    if (error)
      return fail_to_connect(error);
    shaking_hands_ = true;
    stream_->start_client(options_.server.host);
  });
}

void client_connection::fail_to_connect(boost::system::error_code error) {
  const bool late = error == boost::asio::error::timed_out;
  const auto step =
    shaking_hands_ ? "TLS with " + host_and_port(options_.server) : connector_->step();
  blame(late ? connection_fault::timeout : connector_->fault(), step + ": " + error.message());
  close(close_reason_);
}

void client_connection::blame(connection_fault fault, std::string why) {
  if (!close_reason_.empty())
    return;
  fault_ = fault;
  close_reason_ = std::move(why);
}

std::string client_connection::tls_failure(boost::system::error_code error) const {
  const auto of_certificate = stream_->certificate_error();
  const auto refused = error == boost::system::errc::protocol_not_supported;
  return "TLS with " + host_and_port(options_.server) + ": " +
         (refused ? "the server does not speak HTTP/2 (ALPN h2)" : error.message()) +
         (of_certificate.empty() ? "" : ": " + of_certificate);
}

std::size_t client_connection::free_streams() const {
  if (state_ == state::warming)
    return in_flight_ == 0 ? std::min<std::size_t>(1, session_.free_streams()) : 0;
  return state_ == state::ready ? session_.free_streams() : 0;
}

bool client_connection::submit(const http2_request& request, const request_tag& tag,
                               clock::time_point now) {
  client_session::slot at = 0;
  if (!session_.submit(request, at)) {
    retire();
    return false;
  }
  entries_[at].tag = tag;
  entries_[at].submitted_at = now;
  link(at);
  ++in_flight_;
  last_submit_ = now;
  submitted_once_ = true;
  if (!watching_requests_)
    watch_requests();
  return true;
}

void client_connection::flush() {
  stream_->flush();
}

void client_connection::retire(std::string_view why) {
  if (state_ == state::connecting)
    return close({});
  if (state_ != state::warming && state_ != state::ready)
    return;
  if (!why.empty())
    blame(connection_fault::silence, std::string{why});
  state_ = state::draining;
  close_when_drained();
}

void client_connection::close(const std::string& why) {
  if (state_ == state::closed)
    return;
  if (!why.empty())
    blame(fault_, why);
  in_order_ = why.empty();
  connector_->cancel();
  stream_->close();
}

void client_connection::close_when_drained() {
  if (state_ != state::draining || in_flight_ > 0 || shutting_down_)
    return;
  shutting_down_ = true;
  session_.terminate();
  stream_->shutdown();
}

void client_connection::on_open() {
  state_ = state::warming;
  opened_ = true;
  last_read_ = last_submit_ = clock::now();
  watch_silence(last_read_ + options_.ping_interval);
  owner_.on_turn(*this);
}

bool client_connection::on_bytes(std::span<const std::uint8_t> bytes) {
  last_read_ = clock::now();
  if (!session_.receive(bytes)) {
    blame(connection_fault::protocol, protocol_error);
    return false;
  }
  if (answered_once_ && state_ == state::warming)
    state_ = state::ready;
  if (std::exchange(answered_in_turn_, false))
    report_answer();
  owner_.on_turn(*this);
  close_when_drained();
  return true;
}

void client_connection::fill(std::vector<std::uint8_t>& out, std::size_t limit) {
  session_.fill(out, limit);
  if (shutting_down_)
    return;
  close_when_drained();
  if (session_.is_over() && !shutting_down_)
    give_up_session();
  session_.fill(out, limit);
}

// The peer broke the protocol; the GOAWAY that says so has been given out.
void client_connection::give_up_session() {
  shutting_down_ = true;
  state_ = state::draining;
  blame(connection_fault::protocol, protocol_error);
  stream_->shutdown();
}

void client_connection::on_close(boost::system::error_code error) {
  const auto self = shared_from_this();
  if (state_ == state::draining || in_order_)
    error = {};
  if (error && state_ == state::connecting && close_reason_.empty())
    blame(error == boost::system::errc::protocol_not_supported ? connection_fault::alpn
                                                               : connection_fault::tls,
          tls_failure(error));
  state_ = state::closed;
  request_timer_.cancel();
  life_timer_.cancel();
  if (error)
    blame(connection_fault::closed,
          error == boost::asio::error::eof ? "closed by the peer" : error.message());
  if (goaway_came_ && submitted_once_ && !answered_once_)
    blame(connection_fault::goaway, "GOAWAY before anything was answered");
  report_end();
  abandon_streams(close_reason_.empty() ? "connection closed" : close_reason_);
  owner_.on_closed(*this, close_reason_);
}

// Also when it is another connection to the host that failed meanwhile.
void client_connection::report_answer() {
  if (options_.board == nullptr || options_.board->failures() == seen_failures_)
    return;
  seen_failures_ = options_.board->failures();
  options_.board->answered({options_.dest, host_and_port(options_.server)});
}

void client_connection::report_end() const {
  if (options_.board == nullptr || close_reason_.empty())
    return;
  const connection_place at{options_.dest, host_and_port(options_.server)};
  // One that nobody needed may be closed when it has been idle for long enough.
  const bool idle = opened_ && !submitted_once_ && fault_ == connection_fault::closed;
  if (answered_once_ || idle)
    options_.board->lost(at, fault_, close_reason_);
  else
    options_.board->failed(at, fault_, close_reason_);
}

void client_connection::on_stream_end(client_session::slot at, const http2_response& response) {
  auto& ended = entries_[at];
  --in_flight_;
  if (ended.timed_out) {
    ended = {};
    return;
  }
  unlink(at);
  last_end_ = last_read_;
  if (response.status != 0)
    answered_once_ = answered_in_turn_ = true;
  if (response.end != stream_end::lost)
    return owner_.on_response(*this, ended.tag, response, {});
  auto lost = response;
  lost.submitted_at = ended.submitted_at;
  owner_.on_response(*this, ended.tag, lost,
                     std::string{"stream reset: "} + nghttp2_http2_strerror(response.error_code));
}

void client_connection::on_goaway(std::uint32_t error_code) {
  if (error_code != NGHTTP2_NO_ERROR)
    blame(connection_fault::goaway, std::string{"GOAWAY: "} + nghttp2_http2_strerror(error_code));
  goaway_came_ = true;
  if (state_ == state::warming || state_ == state::ready)
    state_ = state::draining;
  owner_.on_goaway(*this);
}

void client_connection::on_pong() {
  ping_sent_.reset();
}

void client_connection::link(std::uint32_t at) {
  entries_[at].previous = newest_;
  entries_[at].next = none;
  (newest_ == none ? oldest_ : entries_[newest_].next) = at;
  newest_ = at;
}

void client_connection::unlink(std::uint32_t at) {
  const auto& gone = entries_[at];
  (gone.previous == none ? oldest_ : entries_[gone.previous].next) = gone.next;
  (gone.next == none ? newest_ : entries_[gone.next].previous) = gone.previous;
}

void client_connection::abandon_streams(std::string_view why) {
  while (oldest_ != none) {
    const auto at = oldest_;
    unlink(at);
    http2_response response;
    response.end = session_.may_have_left(at) ? stream_end::lost : stream_end::unprocessed;
    response.submitted_at = entries_[at].submitted_at;
    owner_.on_response(*this, entries_[at].tag, response, why);
  }
  in_flight_ = 0;
}

void client_connection::watch_requests() {
  watching_requests_ = oldest_ != none;
  if (!watching_requests_)
    return;
  request_timer_.expires_at(entries_[oldest_].submitted_at + options_.request_timeout);
  request_timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    if (auto self = weak.lock(); self && !error)
      self->expire_requests();
  });
}

void client_connection::expire_requests() {
  const auto now = clock::now();
  bool silent = false;
  bool mute = false;
  while (oldest_ != none && entries_[oldest_].submitted_at + options_.request_timeout <= now) {
    const auto at = oldest_;
    unlink(at);
    entries_[at].timed_out = true;
    entries_[at].memory = owner_.memory_of(entries_[at].tag);
    silent = silent || last_read_ < entries_[at].submitted_at;
    mute = mute || last_end_ < entries_[at].submitted_at;
    http2_response response;
    response.end = session_.may_have_left(at) ? stream_end::lost : stream_end::unprocessed;
    response.submitted_at = entries_[at].submitted_at;
    session_.cancel(at);
    owner_.on_response(*this, entries_[at].tag, response, "request timeout");
  }
  // It may answer every PING and still be of no use.
  if (mute && oldest_ == none) {
    blame(connection_fault::silence,
          settings_came_ ? "requests are not answered" : "no SETTINGS and no answer");
    return close(close_reason_);
  }
  if (mute)
    retire();
  if (silent && !ping_sent_)
    send_ping(now);
  watch_requests();
  flush();
}

void client_connection::watch_silence(clock::time_point due) {
  life_timer_.expires_at(due);
  life_timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    if (auto self = weak.lock(); self && !error)
      self->look_for_life();
  });
}

void client_connection::look_for_life() {
  const auto now = clock::now();
  if (ping_sent_ && last_read_ >= *ping_sent_)
    ping_sent_.reset();
  if (ping_sent_ && now >= *ping_sent_ + options_.ping_timeout) {
    blame(connection_fault::silence, "no answer to a PING");
    return close(close_reason_);
  }
  if (in_flight_ == 0 && now >= last_submit_ + options_.idle_timeout)
    return retire();
  if (!ping_sent_ && now >= last_read_ + options_.ping_interval)
    return send_ping(now);
  watch_silence(ping_sent_ ? *ping_sent_ + options_.ping_timeout
                           : last_read_ + options_.ping_interval);
}

void client_connection::send_ping(clock::time_point now) {
  ping_sent_ = now;
  session_.ping();
  flush();
  watch_silence(now + options_.ping_timeout);
}

} // namespace signalbox
