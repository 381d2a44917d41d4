#include "adapters/fcm/token_exchange.hpp"

#include "adapters/http2/retry_after.hpp"

#include <nghttp2/nghttp2.h>

#include <array>
#include <chrono>
#include <string_view>
#include <utility>

namespace signalbox {

namespace {

nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

} // namespace

token_exchange::token_exchange(const boost::asio::any_io_executor& executor,
                               boost::asio::ssl::context& context, client_options options,
                               std::string path, std::string form,
                               std::function<void(token_answer)> done)
  : authority_{authority_of(options.server)}, path_{std::move(path)},
    form_{std::make_shared<const std::string>(std::move(form))}, done_{std::move(done)},
    connection_{std::make_shared<client_connection>(
      executor, context, std::move(options), static_cast<client_connection::observer&>(*this))} {
  connection_->open();
}

void token_exchange::on_turn(client_connection& from) {
  if (sent_ || from.free_streams() == 0)
    return;
  sent_ = true;
  const std::array headers{
    field(":method", "POST"),
    field(":scheme", "https"),
    field(":authority", authority_),
    field(":path", path_),
    field("content-type", "application/x-www-form-urlencoded"),
  };
  from.submit({headers, {*form_}}, {}, client_connection::clock::now());
}

std::shared_ptr<const void> token_exchange::memory_of(const client_connection::request_tag&) {
  return form_;
}

void token_exchange::on_response(client_connection& from, const client_connection::request_tag&,
                                 const http2_response& response, std::string_view error) {
  token_answer result;
  if (response.end == stream_end::complete) {
    result.status = response.status;
    result.body = response.body;
    result.retry_after_s =
      parse_retry_after(response.retry_after, std::chrono::system_clock::now());
  } else {
    result.error = error.empty() ? "refused" : error;
  }
  finish(std::move(result));
  from.retire();
}

void token_exchange::on_closed(client_connection&, const std::string& error) {
  token_answer result;
  result.error = error.empty() ? "connection closed" : error;
  finish(std::move(result));
}

void token_exchange::finish(token_answer result) {
  if (auto done = std::exchange(done_, nullptr))
    done(std::move(result));
}

} // namespace signalbox
