#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <string>

namespace signalbox::sim::test {

/// A keep-alive HTTP/1.1 client of the admin interface.
class admin_client {
public:
  struct reply {
    int status;
    std::string content_type;
    boost::json::value body;
  };

  explicit admin_client(std::uint16_t port) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), port});
  }

  reply get(const std::string& target) { return exchange(verb::get, target, {}); }
  reply post(const std::string& target, const std::string& body) {
    return exchange(verb::post, target, body);
  }

private:
  using string_body = boost::beast::http::string_body;
  using verb = boost::beast::http::verb;

  reply exchange(verb method, const std::string& target, const std::string& body) {
    boost::beast::http::request<string_body> request{method, target, 11, body};
    request.set(boost::beast::http::field::host, "localhost");
    request.prepare_payload();
    boost::beast::http::write(socket_, request);
    boost::beast::http::response<string_body> response;
    boost::beast::http::read(socket_, buffer_, response);
    return {static_cast<int>(response.result_int()),
            std::string{response[boost::beast::http::field::content_type]},
            boost::json::parse(response.body())};
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_{io_};
  boost::beast::flat_buffer buffer_;
};

} // namespace signalbox::sim::test
