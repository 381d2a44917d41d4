#include "adapters/simulator/http1_session.hpp"

#include "adapters/simulator/provider_connection.hpp"
#include "adapters/simulator/provider_server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>

#include <algorithm>
#include <utility>

namespace signalbox::sim {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr std::uint32_t longest_head = 64 * 1024;
constexpr std::size_t longest_body = 1024 * 1024;
/// Of requests that come while one waits for its answer.
constexpr std::size_t most_ahead = 2 * 1024 * 1024;

std::string lower_case(beast::string_view text) {
  std::string lower(text.data(), text.size());
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return lower;
}

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

} // namespace

http1_session::http1_session(provider_connection& connection) : connection_{connection} {
  expect_request();
}

void http1_session::expect_request() {
  parser_.emplace();
  parser_->eager(true);
  parser_->header_limit(longest_head);
  parser_->body_limit(longest_body);
}

bool http1_session::on_bytes(std::span<const std::uint8_t> bytes) {
  if (is_last_)
    return true; // what still comes is of no use, as after any last answer
  if (in_.size() + bytes.size() > most_ahead) {
    connection_.explain("more requests ahead of their answers than 2 MiB", true);
    return false;
  }
  in_.commit(
    asio::buffer_copy(in_.prepare(bytes.size()), asio::buffer(bytes.data(), bytes.size())));
  parse();
  return !connection_.is_resetting();
}

void http1_session::parse() {
  while (!is_answering_ && !is_last_ && in_.size() > 0) {
    beast::error_code error;
    const auto used = parser_->put(in_.data(), error);
    in_.consume(used);
    if (error && error != http::error::need_more)
      return refuse(error);
    if (parser_->is_done())
      complete();
    else if (error || used == 0)
      return;
  }
}

void http1_session::complete() {
  auto& message = parser_->get();
  names_.clear();
  fields_.clear();
  for (const auto& field : message)
    names_.push_back(lower_case(field.name_string()));
  for (const auto& field : message)
    fields_.push_back({names_[fields_.size()], view(field.value())});
  auto& body = message.body();
  body.reserve(body.size() + body_padding);
  const request in{view(message.method_string()), view(message.target()), fields_,
                   std::string_view{body}.substr(0, body_limit), body.size()};
  reply_.clear();
  connection_.service().handle(in, reply_);

  ++request_;
  is_answering_ = true;
  is_awaited_ = reply_.is_counted && reply_.what == answer::fate::sent;
  const auto every = connection_.service().faults().settings().goaway_every;
  is_last_ = !message.keep_alive();
  if (every != 0 && static_cast<std::uint64_t>(request_) >= every) {
    is_last_ = true;
    connection_.service().stats().count_goaway();
    connection_.explain("connection: close, by the fault goaway_every", false);
  }
  if (connection_.is_due(reply_, request_))
    send();
}

void http1_session::send_postponed(std::int32_t stream_id) {
  if (!is_answering_ || stream_id != request_)
    return;
  send();
  parse();
}

void http1_session::send() {
  is_answering_ = false;
  write(reply_.status, !is_last_);
  if (!is_last_)
    expect_request();
}

void http1_session::write(int status, bool keep_alive) {
  http::response<body_type> response;
  response.result(static_cast<unsigned>(status));
  if (!reply_.content_type.empty())
    response.set(http::field::content_type,
                 beast::string_view{reply_.content_type.data(), reply_.content_type.size()});
  if (reply_.retry_after_s > 0)
    response.set(http::field::retry_after, std::to_string(reply_.retry_after_s));
  response.keep_alive(keep_alive);
  response.body() = reply_.body;
  response.prepare_payload();
  http::response_serializer<body_type> bytes{response};
  beast::error_code error;
  while (!error && !bytes.is_done())
    bytes.next(error, [&](beast::error_code&, const auto& buffers) {
      for (const auto piece : beast::buffers_range_ref(buffers))
        out_.append(static_cast<const char*>(piece.data()), piece.size());
      bytes.consume(beast::buffer_bytes(buffers));
    });
}

void http1_session::refuse(beast::error_code why) {
  connection_.explain("no HTTP/1.1 request that is taken: " + why.message(), true);
  is_last_ = true;
  reply_.clear();
  write(why == http::error::body_limit ? 413 : why == http::error::header_limit ? 431 : 400, false);
}

void http1_session::fill(std::vector<std::uint8_t>& out, std::size_t) {
  out.insert(out.end(), out_.begin(), out_.end());
  out_.clear();
  is_awaited_ = is_awaited_ && is_answering_;
}

} // namespace signalbox::sim
