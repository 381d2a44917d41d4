#pragma once

#include "adapters/apns/provider_token.hpp"
#include "adapters/http2/client_connection.hpp"
#include "messages/result.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace signalbox {

/// A request to the host that manages broadcast channels, and who waits for its answer.
struct channel_call {
  std::string method;
  std::string path;
  std::string channel; ///< `apns-channel-id`; empty: none
  std::string body;
  std::shared_ptr<provider_token> token;
  /// Called once: a complete response, whatever its status, or the error that there is none.
  std::function<void(const http2_response& response, const result<unit>& outcome)> done;
  unsigned tries = 0;
};

/// One connection to such a host, opened when there is a request and closed when there has been
/// none for a while. Requests that were certainly not processed are sent again. Lives on one I/O
/// thread.
class channel_link final : private client_connection::observer {
public:
  static constexpr std::size_t max_waiting = 256;

  /// `context` outlives the link.
  channel_link(const boost::asio::any_io_executor& executor, boost::asio::ssl::context& context,
               client_options options);
  ~channel_link();

  channel_link(const channel_link&) = delete;
  channel_link& operator=(const channel_link&) = delete;

  /// Answers `busy` when `max_waiting` requests wait already.
  void send(std::shared_ptr<channel_call> call);

  /// Answers what is under way or waits with `stopping`, and takes nothing more.
  void stop();

private:
  void on_response(client_connection& from, const client_connection::request_tag& tag,
                   const http2_response& response, std::string_view error) override;
  std::shared_ptr<const void> memory_of(const client_connection::request_tag& tag) override;
  void on_turn(client_connection& from) override;
  void on_goaway(client_connection&) override {}
  void on_closed(client_connection& from, const std::string& error) override;

  void connect();
  void submit(std::shared_ptr<channel_call> call);
  void fail_waiting(errc code, const std::string& message);
  static void fail(const channel_call& call, errc code, const std::string& message);

  const boost::asio::any_io_executor executor_;
  boost::asio::ssl::context& context_;
  const client_options options_;
  const std::string authority_;
  std::shared_ptr<client_connection> connection_;
  std::deque<std::shared_ptr<channel_call>> waiting_;
  std::unordered_map<const void*, std::shared_ptr<channel_call>> under_way_;
  unsigned failures_ = 0; ///< connections in a row that ended unused
  bool stopping_ = false;
};

} // namespace signalbox
