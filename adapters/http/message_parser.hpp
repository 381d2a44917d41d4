#pragma once

#include "adapters/http/request.hpp"
#include "adapters/http/response.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace signalbox::http {

/// What a message parser tells while it reads one request. A response returned by either function
/// refuses the request: parsing stops.
class message_listener {
public:
  virtual std::optional<response> on_head(request& head,
                                          std::optional<std::uint64_t> content_length) = 0;
  virtual std::optional<response> on_piece(std::string_view piece) = 0;

protected:
  ~message_listener() = default;
};

/// Reads one HTTP/1.x request with Beast's parser, straight from the connection's buffer, and is
/// stricter than it where leniency lets requests be smuggled (RFC 9112, sections 3.2, 5.2 and 6.3).
class message_parser final : public boost::beast::http::basic_parser<true> {
public:
  /// `max_header` bounds the request line with all fields, in bytes.
  message_parser(message_listener& listener, std::size_t max_header);

  request& message() { return message_; }
  bool http_1_0() const { return version_ == 10; }

  /// The answer to a request that `put` ended with error `ec`.
  response refusal(boost::system::error_code ec) const;

private:
  using view = boost::beast::string_view;
  using error_code = boost::system::error_code;

  void on_request_impl(verb method, view, view target, int version, error_code& ec) override;
  void on_response_impl(int, view, int, error_code&) override {}
  void on_field_impl(field id, view name, view value, error_code& ec) override;
  void on_header_impl(error_code& ec) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(view piece, error_code& ec) override;
  void on_chunk_header_impl(std::uint64_t, view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, view piece, error_code& ec) override;
  void on_finish_impl(error_code&) override {}

  void refuse(response answer, error_code& ec);

  message_listener& listener_;
  request message_;
  int version_ = 11;
  bool head_done_ = false;
  std::optional<response> refusal_;
};

} // namespace signalbox::http
