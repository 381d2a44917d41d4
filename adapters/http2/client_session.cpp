#include "adapters/http2/client_session.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace signalbox {

namespace {

constexpr std::int32_t connection_window = 1 << 24;
constexpr std::int32_t last_usable_stream_id = 0x7ffffff0;
constexpr std::size_t frame_header_size = 9;
constexpr std::uint16_t first_final_status = 200;
// A peer may send 64 KiB on each of many streams; what is longer than this is no such value.
constexpr std::size_t longest_kept_value = 1024;

template <class T, auto Delete>
struct owned {
  T* value = nullptr;
  ~owned() { Delete(value); }
};

void require(int code) {
  if (code != 0)
    throw std::runtime_error{std::string{"nghttp2: "} + nghttp2_strerror(code)};
}

std::uint16_t parse_status(const std::uint8_t* value, std::size_t size) {
  if (size != 3)
    return 0;
  return static_cast<std::uint16_t>((value[0] - '0') * 100 + (value[1] - '0') * 10 +
                                    (value[2] - '0'));
}

bool is(const std::uint8_t* name, std::size_t size, std::string_view want) {
  return size == want.size() && std::memcmp(name, want.data(), size) == 0;
}

} // namespace

struct client_session::callbacks {
  static client_session& self(void* user) { return *static_cast<client_session*>(user); }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user) {
    const auto& kept = self(user).keeps_.header;
    const bool is_status = is(name, name_size, ":status");
    const bool is_kept = !kept.empty() && is(name, name_size, kept);
    if (!is_status && !is_kept && !is(name, name_size, "retry-after"))
      return 0;
    auto* at = self(user).find(frame->hd.stream_id);
    if (at == nullptr)
      return 0;
    if (is_status)
      at->begin_response(parse_status(value, value_size));
    else if (value_size <= longest_kept_value)
      (is_kept ? at->header : at->retry_after)
        .assign(reinterpret_cast<const char*>(value), value_size);
    return 0;
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* user) {
    if (auto* at = self(user).find(id)) {
      const auto body_limit = self(user).keeps_.body_limit;
      const auto room = body_limit - std::min(body_limit, at->body.size());
      at->body.append(reinterpret_cast<const char*>(data), std::min(room, size));
    }
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& session = self(user);
    if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
      session.owner_.on_settings();
    } else if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
      session.owner_.on_pong();
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
      session.goaway_ = true;
      session.owner_.on_goaway(frame->goaway.error_code);
    } else if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
               (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      session.take_end(frame->hd.stream_id);
    }
    return 0;
  }

  static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t error_code,
                             void* user) {
    if (auto* at = self(user).find(id))
      self(user).end_stream(*at, error_code);
    return 0;
  }

  // nghttp2 opens the stream before it finds that the HEADERS cannot be sent, and closes it after.
  static int on_not_sent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS)
      if (auto* at = self(user).find(frame->hd.stream_id))
        at->never_sent = true;
    return 0;
  }

  static ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t limit,
                           std::uint32_t* flags, nghttp2_data_source* source, void*) {
    const auto& body = static_cast<stream*>(source->ptr)->unsent_body;
    std::size_t left = 0;
    for (const auto& piece : body)
      left += piece.size();
    const auto size = std::min(limit, left);
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (size == left)
      *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }

  static int send_body(nghttp2_session*, nghttp2_frame*, const std::uint8_t* frame_header,
                       std::size_t size, nghttp2_data_source* source, void* user) {
    auto& body = static_cast<stream*>(source->ptr)->unsent_body;
    auto& out = *self(user).out_;
    out.insert(out.end(), frame_header, frame_header + frame_header_size);
    for (auto& piece : body) {
      const auto part = std::min(size, piece.size());
      out.insert(out.end(), piece.data(), piece.data() + part);
      piece.remove_prefix(part);
      size -= part;
    }
    return 0;
  }
};

client_session::client_session(std::size_t max_streams, observer& owner, response_rule keeps)
  : owner_{owner}, keeps_{std::move(keeps)}, slots_(max_streams) {
  free_.reserve(max_streams);
  for (std::size_t i = max_streams; i > 0; --i)
    free_.push_back(static_cast<slot>(i - 1));

  owned<nghttp2_session_callbacks, nghttp2_session_callbacks_del> calls;
  require(nghttp2_session_callbacks_new(&calls.value));
  nghttp2_session_callbacks_set_on_header_callback(calls.value, callbacks::on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls.value, callbacks::on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(calls.value, callbacks::on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(calls.value, callbacks::on_stream_close);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(calls.value, callbacks::on_not_sent);
  nghttp2_session_callbacks_set_send_data_callback(calls.value, callbacks::send_body);

  owned<nghttp2_option, nghttp2_option_del> option;
  require(nghttp2_option_new(&option.value));
  nghttp2_option_set_no_closed_streams(option.value, 1);

  nghttp2_session* session = nullptr;
  require(
    nghttp2_session_client_new3(&session, calls.value, this, option.value, memory_.allocator()));
  session_.reset(session);

  const std::array settings{
    nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
    nghttp2_settings_entry{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  require(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()));
  require(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, connection_window));
}

client_session::~client_session() = default;

bool client_session::receive(std::span<const std::uint8_t> bytes) {
  return nghttp2_session_mem_recv(session_.get(), bytes.data(), bytes.size()) ==
         static_cast<ssize_t>(bytes.size());
}

void client_session::fill(std::vector<std::uint8_t>& out, std::size_t limit) {
  out_ = &out;
  while (out.size() < limit) {
    const std::uint8_t* bytes = nullptr;
    const auto size = nghttp2_session_mem_send(session_.get(), &bytes);
    if (size <= 0)
      break;
    out.insert(out.end(), bytes, bytes + size);
  }
  out_ = nullptr;
}

bool client_session::submit(const http2_request& request, slot& at) {
  if (goaway_)
    return false;
  auto& next = slots_[free_.back()];
  next.begin_response(0);
  next.never_sent = false;
  next.is_answered = false;
  next.unsent_body = request.body;
  nghttp2_data_provider body;
  body.source.ptr = &next;
  body.read_callback = callbacks::read_body;
  next.id = nghttp2_submit_request(session_.get(), nullptr, request.headers.data(),
                                   request.headers.size(), &body, &next);
  if (next.id < 0) {
    goaway_ = true;
    return false;
  }
  at = free_.back();
  free_.pop_back();
  if (next.id >= last_usable_stream_id)
    goaway_ = true;
  return true;
}

void client_session::cancel(slot at) {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, slots_[at].id, NGHTTP2_CANCEL);
}

void client_session::ping() {
  nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
}

void client_session::terminate() {
  nghttp2_session_terminate_session(session_.get(), NGHTTP2_NO_ERROR);
}

bool client_session::is_over() const {
  return nghttp2_session_want_read(session_.get()) == 0 &&
         nghttp2_session_want_write(session_.get()) == 0;
}

std::size_t client_session::stream_limit() const {
  const auto theirs =
    nghttp2_session_get_remote_settings(session_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  return std::min<std::size_t>(slots_.size(), theirs);
}

std::size_t client_session::free_streams() const {
  const auto limit = goaway_ ? 0 : stream_limit();
  return limit - std::min(limit, open_streams());
}

bool client_session::may_have_left(slot at) const {
  return nghttp2_session_find_stream(session_.get(), slots_[at].id) != nullptr;
}

// A status of 1xx announces another one, and is no answer.
void client_session::stream::begin_response(std::uint16_t with_status) {
  status = with_status < first_final_status ? 0 : with_status;
  retry_after.clear();
  header.clear();
  body.clear();
}

client_session::stream* client_session::find(std::int32_t id) {
  return static_cast<stream*>(nghttp2_session_get_stream_user_data(session_.get(), id));
}

// An answer need not wait for the end of its request, which may wait for the peer's window.
void client_session::take_end(std::int32_t id) {
  auto* at = find(id);
  if (at == nullptr || at->status == 0 ||
      nghttp2_session_get_stream_local_close(session_.get(), id) != 0)
    return;
  at->is_answered = true;
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
}

void client_session::end_stream(stream& ended, std::uint32_t error_code) {
  http2_response response{.status = ended.status,
                          .error_code = error_code,
                          .retry_after = ended.retry_after,
                          .header = ended.header,
                          .body = ended.body};
  const bool is_refusal = error_code == NGHTTP2_REFUSED_STREAM && ended.status == 0;
  // nghttp2 closes what is above a GOAWAY's last-stream-id as refused, too.
  if (ended.never_sent || (is_refusal && goaway_))
    response.end = stream_end::unprocessed;
  else if (is_refusal)
    response.end = stream_end::refused;
  else if (ended.is_answered || (error_code == NGHTTP2_NO_ERROR && ended.status != 0))
    response.end = stream_end::complete;
  // Free only afterwards: the views have to survive a submit from inside the call.
  const auto at = slot_of(ended);
  owner_.on_stream_end(at, response);
  free_.push_back(at);
}

} // namespace signalbox
