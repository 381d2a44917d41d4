#include "adapters/simulator/http2_session.hpp"

#include "adapters/simulator/provider_connection.hpp"
#include "adapters/simulator/provider_server.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

namespace signalbox::sim {

namespace {

// What APNs has been seen to send, but for the connection's window: it would only slow down.
constexpr std::uint32_t header_list_size = 8000;
constexpr std::int32_t connection_window = 64 * 1024 * 1024;
/// Of what a client sends instead of HTTP/2, in the log.
constexpr std::size_t shown_bytes = 16;
constexpr std::size_t usual_body = 1024;
constexpr std::size_t usual_head = 1024;

struct slice {
  std::uint32_t at = 0;
  std::uint32_t size = 0;

  std::string_view in(const std::string& text) const {
    return std::string_view{text}.substr(at, size);
  }
};

nghttp2_nv make_field(std::string_view name, std::string_view value, bool index) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  const int flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE |
                    (index ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX);
  return {bytes(name), bytes(value), name.size(), value.size(), static_cast<std::uint8_t>(flags)};
}

} // namespace

// One request and its answer; pooled.
struct http2_session::stream {
  std::int32_t id = 0;
  std::string head;
  slice method;
  slice path;
  struct field {
    slice name;
    slice value;
  };
  std::vector<field> fields;
  std::string body;
  std::size_t body_size = 0;
  answer reply;
  std::array<char, 24> status_text;
  std::array<char, 24> retry_after_text;
  std::size_t body_sent = 0;
  bool is_awaited = false; ///< a counted request whose answer is not out yet

  void open(std::int32_t stream_id) {
    id = stream_id;
    head.clear();
    method = {};
    path = {};
    fields.clear();
    body.clear();
    body_size = 0;
    reply.clear();
    body_sent = 0;
    is_awaited = false;
  }

  slice keep(const std::uint8_t* data, std::size_t size) {
    const auto at = static_cast<std::uint32_t>(head.size());
    head.append(reinterpret_cast<const char*>(data), size);
    return {at, static_cast<std::uint32_t>(size)};
  }

  static ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t size,
                           std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& from = *static_cast<stream*>(source->ptr);
    const auto count = from.reply.body.copy(reinterpret_cast<char*>(out), size, from.body_sent);
    from.body_sent += count;
    if (from.body_sent == from.reply.body.size())
      *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }
};

const nghttp2_session_callbacks* http2_session::callbacks() {
  static const auto* const shared = [] {
    nghttp2_session_callbacks* made = nullptr;
    nghttp2_session_callbacks_new(&made);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
    return made;
  }();
  return shared;
}

http2_session::http2_session(provider_connection& connection) : connection_{connection} {
  nghttp2_option* options = nullptr;
  nghttp2_option_new(&options);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_option_set_no_http_messaging(
    options, connection_.service().requires_well_formed_messages() ? 0 : 1);
  nghttp2_session* made = nullptr;
  nghttp2_session_server_new2(&made, callbacks(), this, options);
  nghttp2_option_del(options);
  session_.reset(made);

  auto& service = connection_.service();
  warming_up_ = service.faults().settings().warmup;
  submit_settings(warming_up_ ? 1 : service.faults().settings().max_streams);
  nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0, connection_window);
}

http2_session::~http2_session() = default;

void http2_session::submit_settings(std::uint32_t max_streams) {
  const std::array settings{
    nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max_streams},
    nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, header_list_size}};
  nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size());
}

void http2_session::update_max_streams() {
  if (!warming_up_)
    submit_settings(connection_.service().faults().settings().max_streams);
}

bool http2_session::on_bytes(std::span<const std::uint8_t> bytes) {
  const auto taken = nghttp2_session_mem_recv(session_.get(), bytes.data(), bytes.size());
  if (taken >= 0)
    return true;
  if (taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC)
    connection_.explain(
      fmt::format(
        "the client does not speak HTTP/2; it began with {:?}",
        std::string_view{reinterpret_cast<const char*>(bytes.data()), bytes.size()}.substr(
          0, shown_bytes)),
      true);
  else
    connection_.explain(nghttp2_strerror(static_cast<int>(taken)), true);
  return false;
}

void http2_session::fill(std::vector<std::uint8_t>& out, std::size_t limit) {
  while (out.size() < limit) {
    const std::uint8_t* data = nullptr;
    const auto size = nghttp2_session_mem_send(session_.get(), &data);
    if (size < 0) {
      connection_.explain(nghttp2_strerror(static_cast<int>(size)), true);
      return connection_.close();
    }
    if (size == 0)
      break;
    out.insert(out.end(), data, data + size);
  }
}

bool http2_session::is_over() const {
  return nghttp2_session_want_read(session_.get()) == 0 &&
         nghttp2_session_want_write(session_.get()) == 0;
}

std::uint64_t http2_session::unanswered() const {
  return static_cast<std::uint64_t>(std::count_if(
    streams_.begin(), streams_.end(), [](const auto& each) { return each->is_awaited; }));
}

int http2_session::on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
  if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
    self(user_data).begin(frame->hd.stream_id);
  return 0;
}

void http2_session::begin(std::int32_t stream_id) {
  latest_ = nullptr;
  if (goaway_last_stream_ && stream_id > *goaway_last_stream_)
    return;
  if (connection_.server().refuses_next_stream()) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream_id, NGHTTP2_REFUSED_STREAM);
    connection_.service().stats().count_refused_stream();
    return;
  }
  if (free_streams_.empty()) {
    auto& made = streams_.emplace_back(std::make_unique<stream>());
    made->head.reserve(usual_head);
    made->body.reserve(usual_body);
    free_streams_.push_back(made.get());
  }
  latest_ = free_streams_.back();
  free_streams_.pop_back();
  latest_->open(stream_id);
  nghttp2_session_set_stream_user_data(session_.get(), stream_id, latest_);
}

http2_session::stream* http2_session::find(std::int32_t stream_id) {
  if (latest_ == nullptr || latest_->id != stream_id)
    latest_ = static_cast<stream*>(nghttp2_session_get_stream_user_data(session_.get(), stream_id));
  return latest_;
}

int http2_session::on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                             std::size_t name_size, const std::uint8_t* value,
                             std::size_t value_size, std::uint8_t, void* user_data) {
  auto* into = self(user_data).find(frame->hd.stream_id);
  if (into == nullptr || name_size == 0)
    return 0;
  const std::string_view text{reinterpret_cast<const char*>(name), name_size};
  if (text[0] != ':')
    into->fields.push_back({into->keep(name, name_size), into->keep(value, value_size)});
  else if (text == ":path")
    into->path = into->keep(value, value_size);
  else if (text == ":method")
    into->method = into->keep(value, value_size);
  return 0;
}

int http2_session::on_data(nghttp2_session*, std::uint8_t, std::int32_t stream_id,
                           const std::uint8_t* data, std::size_t size, void* user_data) {
  auto* into = self(user_data).find(stream_id);
  if (into == nullptr)
    return 0;
  into->body_size += size;
  into->body.append(reinterpret_cast<const char*>(data),
                    std::min(size, body_limit - into->body.size()));
  return 0;
}

int http2_session::on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
  const auto& header = frame->hd;
  if ((header.type != NGHTTP2_HEADERS && header.type != NGHTTP2_DATA) ||
      (header.flags & NGHTTP2_FLAG_END_STREAM) == 0)
    return 0;
  auto& session = self(user_data);
  if (auto* done = session.find(header.stream_id))
    session.complete(*done);
  return session.connection_.is_resetting() ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

// An error of the connection's: nghttp2 says why in the frame.
int http2_session::on_frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
  const auto& sent = frame->goaway;
  if (frame->hd.type == NGHTTP2_GOAWAY && sent.error_code != NGHTTP2_NO_ERROR)
    self(user_data).connection_.explain(
      fmt::format(
        "HTTP/2: {} {}", nghttp2_http2_strerror(sent.error_code),
        std::string_view{reinterpret_cast<const char*>(sent.opaque_data), sent.opaque_data_len}),
      true);
  return 0;
}

int http2_session::on_stream_close(nghttp2_session* session, std::int32_t stream_id,
                                   std::uint32_t error, void* user_data) {
  auto* closed = static_cast<stream*>(nghttp2_session_get_stream_user_data(session, stream_id));
  if (closed == nullptr)
    return 0;
  auto& owner = self(user_data);
  if (owner.latest_ == closed)
    owner.latest_ = nullptr;
  if (std::exchange(closed->is_awaited, false) && error != NGHTTP2_NO_ERROR)
    owner.connection_.service().stats().count_unanswered();
  owner.free_streams_.push_back(closed);
  return 0;
}

void http2_session::complete(stream& done) {
  if (goaway_last_stream_ && done.id > *goaway_last_stream_)
    return;
  fields_.clear();
  for (const auto& [name, value] : done.fields)
    fields_.push_back({name.in(done.head), value.in(done.head)});
  done.body.reserve(done.body.size() + body_padding);
  const request in{done.method.in(done.head), done.path.in(done.head), fields_, done.body,
                   done.body_size};
  auto& service = connection_.service();
  service.handle(in, done.reply);

  if (warming_up_ && done.reply.authenticated) {
    warming_up_ = false;
    submit_settings(service.faults().settings().max_streams);
  }
  count_towards_goaway(done.id);
  done.is_awaited = done.reply.is_counted && done.reply.what == answer::fate::sent;
  if (connection_.is_due(done.reply, done.id))
    send(done);
}

void http2_session::count_towards_goaway(std::int32_t stream_id) {
  ++requests_;
  highest_request_ = std::max(highest_request_, stream_id);
  const auto every = connection_.service().faults().settings().goaway_every;
  if (every == 0 || requests_ < every || goaway_last_stream_)
    return;
  // Streams above it whose requests are not complete yet are closed when the frame is sent.
  goaway_last_stream_ = highest_request_;
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, highest_request_, NGHTTP2_NO_ERROR,
                        nullptr, 0);
  connection_.service().stats().count_goaway();
  connection_.explain("GOAWAY, by the fault goaway_every", false);
}

void http2_session::send_postponed(std::int32_t stream_id) {
  if (auto* done = find(stream_id))
    send(*done);
}

void http2_session::send(stream& done) {
  const auto& reply = done.reply;
  const auto format = [](std::array<char, 24>& text, std::int64_t number) {
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    return std::string_view{text.data(), static_cast<std::size_t>(end - text.data())};
  };
  std::array<nghttp2_nv, 6> fields;
  std::size_t count = 0;
  fields[count++] = make_field(":status", format(done.status_text, reply.status), true);
  if (!reply.apns_id.empty()) {
    // Indexed once, so that the name is in the table; the values never come again.
    const auto* const name = reply.is_request_id ? "apns-request-id" : "apns-id";
    fields[count++] = make_field(name, reply.apns_id, !knows_apns_id_);
    knows_apns_id_ = true;
  }
  if (!reply.unique_id.empty())
    fields[count++] = make_field("apns-unique-id", reply.unique_id, false);
  if (!reply.channel_id.empty())
    fields[count++] = make_field("apns-channel-id", reply.channel_id, false);
  if (!reply.content_type.empty())
    fields[count++] = make_field("content-type", reply.content_type, true);
  if (reply.retry_after_s > 0)
    fields[count++] =
      make_field("retry-after", format(done.retry_after_text, reply.retry_after_s), true);
  nghttp2_data_provider body{};
  body.source.ptr = &done;
  body.read_callback = stream::read_body;
  nghttp2_submit_response(session_.get(), done.id, fields.data(), count,
                          reply.body.empty() ? nullptr : &body);
}

void http2_session::say_goodbye() {
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_.get()), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

} // namespace signalbox::sim
