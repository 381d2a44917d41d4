#pragma once

#include "adapters/simulator/exchange.hpp"
#include "adapters/simulator/http_session.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace signalbox::sim {

class provider_connection;

/// HTTP/1.1 on a simulated provider's connection, one request after the other. Of the faults that
/// concern streams and connections only `goaway_every` acts on it, with `connection: close`.
///
/// Heads are limited to 64 KiB and bodies to 1 MiB: what is longer or is no HTTP/1.1 gets 431, 413
/// or 400, and then the connection ends. Lives on the I/O thread.
class http1_session final : public http_session {
public:
  /// `connection` owns the session.
  explicit http1_session(provider_connection& connection);

  bool on_bytes(std::span<const std::uint8_t> bytes) override;
  void fill(std::vector<std::uint8_t>& out, std::size_t limit) override;
  bool is_over() const override { return is_last_ && !is_answering_; }
  void send_postponed(std::int32_t stream_id) override;
  void update_max_streams() override {}
  void say_goodbye() override { is_last_ = true; }
  std::uint64_t unanswered() const override { return is_awaited_ ? 1 : 0; }

private:
  using body_type = boost::beast::http::string_body;

  void expect_request();
  void parse();
  void complete();
  void send();
  void refuse(boost::beast::error_code why);
  void write(int status, bool keep_alive);

  provider_connection& connection_;
  boost::beast::flat_buffer in_;
  std::optional<boost::beast::http::request_parser<body_type>> parser_;
  std::vector<std::string> names_;
  std::vector<header_field> fields_;
  answer reply_;
  std::string out_;
  std::int32_t request_ = 0;
  bool is_answering_ = false; ///< a request has come whose answer is not queued
  bool is_awaited_ = false;   ///< a counted one whose answer is not out
  bool is_last_ = false;      ///< no other request is taken
};

} // namespace signalbox::sim
