#pragma once

#include "adapters/http2/client_connection.hpp"
#include "adapters/http2/client_options.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ssl/context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace signalbox {

/// What a token endpoint said.
struct token_answer {
  std::uint16_t status = 0; ///< 0: nothing
  std::uint32_t retry_after_s = 0;
  std::string body;
  std::string error; ///< why there is no answer
};

/// One POST of a form to a token endpoint, over a connection of its own. Not thread-safe:
/// everything happens on the executor's thread.
class token_exchange final : private client_connection::observer {
public:
  /// `done` is called once, not inside the constructor; the exchange may be destroyed from it on,
  /// but not inside it.
  token_exchange(const boost::asio::any_io_executor& executor, boost::asio::ssl::context& context,
                 client_options options, std::string path, std::string form,
                 std::function<void(token_answer)> done);

private:
  void on_response(client_connection& from, const client_connection::request_tag& tag,
                   const http2_response& response, std::string_view error) override;
  std::shared_ptr<const void> memory_of(const client_connection::request_tag& tag) override;
  void on_turn(client_connection& from) override;
  void on_goaway(client_connection&) override {}
  void on_closed(client_connection& from, const std::string& error) override;
  void finish(token_answer result);

  const std::string authority_;
  const std::string path_;
  const std::shared_ptr<const std::string> form_;
  std::function<void(token_answer)> done_;
  bool sent_ = false;
  const std::shared_ptr<client_connection> connection_;
};

} // namespace signalbox
