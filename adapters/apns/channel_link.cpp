#include "adapters/apns/channel_link.hpp"

#include <utility>
#include <vector>

namespace signalbox {

namespace {

constexpr unsigned max_tries = 8;
constexpr unsigned max_failures = 3;
constexpr auto stopping_text = "The node is stopping.";

nghttp2_nv field(std::string_view name, std::string_view value, int flags = NGHTTP2_NV_FLAG_NONE) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), static_cast<std::uint8_t>(flags)};
}

} // namespace

channel_link::channel_link(const boost::asio::any_io_executor& executor,
                           boost::asio::ssl::context& context, client_options options)
  : executor_{executor}, context_{context}, options_{std::move(options)}, authority_{authority_of(
                                                                            options_.server)} {}

channel_link::~channel_link() = default;

void channel_link::send(std::shared_ptr<channel_call> call) {
  if (stopping_)
    return fail(*call, errc::stopping, stopping_text);
  if (waiting_.size() >= max_waiting)
    return fail(*call, errc::busy, "Too many requests about channels wait for APNs.");
  waiting_.push_back(std::move(call));
  if (!connection_)
    return connect();
  if (connection_->free_streams() == 0)
    return;
  on_turn(*connection_);
  connection_->flush();
}

void channel_link::stop() {
  stopping_ = true;
  fail_waiting(errc::stopping, stopping_text);
  if (connection_)
    connection_->close({});
}

void channel_link::connect() {
  client_connection::observer& observer = *this;
  try {
    connection_ = std::make_shared<client_connection>(executor_, context_, options_, observer);
    connection_->open();
  } catch (const std::exception& error) {
    connection_.reset();
    fail_waiting(errc::unavailable, std::string{"The node cannot connect: "} + error.what());
  }
}

void channel_link::on_turn(client_connection& from) {
  while (!waiting_.empty() && from.free_streams() > 0) {
    auto call = std::move(waiting_.front());
    waiting_.pop_front();
    submit(std::move(call));
  }
}

void channel_link::submit(std::shared_ptr<channel_call> call) {
  const auto authorization = call->token->current();
  if (!authorization)
    return fail(*call, errc::conflict, "There is no provider token: " + call->token->last_error());
  std::vector<nghttp2_nv> headers{
    field(":method", call->method),
    field(":scheme", "https"),
    field(":authority", authority_),
    field(":path", call->path, NGHTTP2_NV_FLAG_NO_INDEX),
    field("authorization", *authorization, NGHTTP2_NV_FLAG_NO_INDEX),
  };
  if (!call->channel.empty())
    headers.push_back(field("apns-channel-id", call->channel, NGHTTP2_NV_FLAG_NO_INDEX));
  if (!call->body.empty())
    headers.push_back(field("content-type", "application/json"));
  ++call->tries;
  const auto* key = call.get();
  if (connection_->submit({headers, {call->body}}, {.owner = call.get()},
                          client_connection::clock::now()))
    under_way_.emplace(key, std::move(call));
  else
    waiting_.push_front(std::move(call));
}

void channel_link::on_response(client_connection&, const client_connection::request_tag& tag,
                               const http2_response& response, std::string_view error) {
  const auto found = under_way_.find(tag.owner);
  const auto call = std::move(found->second);
  under_way_.erase(found);
  if (response.end == stream_end::complete) {
    failures_ = 0;
    return call->done(response, {});
  }
  if (stopping_)
    return fail(*call, errc::stopping, stopping_text);
  if (response.end != stream_end::lost && call->tries < max_tries) {
    waiting_.push_back(call);
    return;
  }
  const std::string why{!error.empty()                     ? error
                        : response.end == stream_end::lost ? "the stream was reset"
                                                           : "it refused the stream"};
  fail(*call, errc::unavailable, "APNs did not answer: " + why + ".");
}

std::shared_ptr<const void> channel_link::memory_of(const client_connection::request_tag& tag) {
  return under_way_.at(tag.owner);
}

// What waits goes to a new connection, unless the host cannot be used or ends every one unused.
void channel_link::on_closed(client_connection&, const std::string& error) {
  const bool was_ready = connection_->was_ready();
  connection_.reset();
  if (stopping_)
    return fail_waiting(errc::stopping, stopping_text);
  if (!was_ready && (!error.empty() || ++failures_ >= max_failures))
    fail_waiting(errc::unavailable,
                 "APNs' host for channels, " + authority_ +
                   ", cannot be used: " + (error.empty() ? "it closes connections" : error) + ".");
  if (!waiting_.empty())
    connect();
}

void channel_link::fail_waiting(errc code, const std::string& message) {
  for (const auto& call : std::exchange(waiting_, {}))
    fail(*call, code, message);
}

void channel_link::fail(const channel_call& call, errc code, const std::string& message) {
  call.done({}, result<unit>::failure(code, message));
}

} // namespace signalbox
