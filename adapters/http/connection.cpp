#include "adapters/http/connection.hpp"

#include "adapters/http/host_rule.hpp"
#include "adapters/http/io_loop.hpp"
#include "adapters/http/query_reader.hpp"
#include "adapters/io/thread_error.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstring>
#include <netinet/tcp.h>
#include <utility>

namespace signalbox::http {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// A client that asks much and takes nothing is not read from while this much waits for it.
constexpr std::size_t max_unsent = 256 * 1024;

/// A buffer that a request or an answer made larger is given back when it is empty.
constexpr std::size_t kept_capacity = 16 * 1024;

/// Bytes of a stream that are on their way to a client's socket at a time.
constexpr std::size_t stream_room = 4 * 1024;

/// How long a stream's client may acknowledge nothing of what was sent (RFC 5482).
constexpr std::chrono::milliseconds stream_timeout{30'000};

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

response method_not_allowed(const std::vector<verb>& allowed) {
  std::string list;
  for (auto method : allowed) {
    if (!list.empty())
      list += ", ";
    list += to_string(method);
    if (method == verb::get)
      list += ", HEAD";
  }
  auto answer = problem(405, "This path does not take that method.");
  answer.headers.emplace_back("Allow", std::move(list));
  return answer;
}

bool takes_stream(const route& to, const request& head) {
  if (!to.stream)
    return false;
  const auto& types = to.stream_types;
  return std::find(types.begin(), types.end(), head.media_type()) != types.end();
}

} // namespace

connection::connection(io_loop& loop, std::uint64_t id, asio::ip::tcp::socket socket)
  : loop_(loop), id_(id), socket_(std::move(socket)), last_progress_(clock::now()) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
}

connection::~connection() {
  drop_message();
  loop_.state().connections.fetch_sub(1, std::memory_order_relaxed);
}

bool connection::mark_touched() {
  return !std::exchange(touched_, true);
}

void connection::refuse() {
  fail(unavailable("The node has as many connections as it may; try again."));
}

void connection::complete(std::uint64_t number, completion_event event) {
  if (closed_)
    return;
  bool body_open = sink_ && sink_exchange_ == number;
  if (auto* reply = std::get_if<response>(&event)) {
    answers_.answer(number, std::move(*reply));
    if (body_open) {
      answers_.close_after(number);
      last_request_seen_ = true;
      drop_message();
    }
  } else if (auto* deadline = std::get_if<answer_deadline>(&event)) {
    answers_.set_deadline(number, std::move(*deadline));
  } else if (body_open && std::holds_alternative<resume_body>(event)) {
    body_paused_ = false;
    span_began_ = clock::now();
    span_bytes_ = 0;
  }
}

void connection::pump() {
  touched_ = false;
  if (closed_)
    return;
  for (bool more = true; more;) {
    const bool had_some = !out_.empty();
    const bool wrote = write_answers();
    flush();
    if (closed_)
      return;
    more = (wrote || had_some) && out_.empty();
  }
  const auto left = unsent();
  loop_.count_unsent(std::exchange(counted_unsent_, left), left);
  bool idle = answers_.empty() && out_.empty();
  if (stream_)
    return arm_read(); // for its end
  if (closing_ && out_.empty())
    return linger();
  if (idle && (peer_closed_ || (loop_.state().draining && !parser_)))
    return close();
  if (parse_blocked_ && has_room()) {
    parse(std::exchange(unparsed_, {}));
    loop_.touch(shared_from_this());
  }
  if (unparsed_.empty() && unparsed_.capacity() > kept_capacity)
    unparsed_.shrink_to_fit();
  if (wants_read())
    arm_read();
}

bool connection::write_answers() {
  if (stream_)
    return write_stream();
  const auto before = out_.size();
  if (!closing_)
    closing_ = answers_.write_ready(loop_.http_date(), loop_.state().draining && !parser_,
                                    max_unsent, out_, stream_);
  if (stream_)
    begin_stream();
  // The interim answer must not overtake those of earlier requests.
  bool own_turn = answers_.empty() || (sink_ && answers_.first() == sink_exchange_);
  if (expects_continue_ && own_turn && !closing_) {
    expects_continue_ = false;
    out_ += continue_line;
  }
  return out_.size() > before;
}

// Nothing is read after such an answer, and its client may be silent for days: only the system can
// say that it is no longer there.
void connection::begin_stream() {
  drop_message();
  unparsed_ = {};
  parse_blocked_ = false;
  using user_timeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
  error_code ignored;
  socket_.set_option(user_timeout{static_cast<int>(stream_timeout.count())}, ignored);
  stream_->body->begin([queue = loop_.completions(), id = id_, number = stream_->number] {
    queue->push({id, number, stream_ready{}});
  });
}

bool connection::write_stream() {
  if (!out_.empty())
    return false;
  const auto frame = stream_->frame;
  auto& piece = loop_.stream_piece();
  piece.clear();
  const bool ends = !stream_->body->next(stream_room, piece);
  if (!is_chunked(frame))
    out_ += piece;
  else if (!piece.empty())
    append_chunk(piece, out_);
  if (!ends)
    return !piece.empty();
  if (is_chunked(frame))
    append_chunk({}, out_);
  stream_.reset();
  return true;
}

void connection::flush() {
  while (!writing_ && written_ < out_.size()) {
    error_code ec;
    auto n = socket_.write_some(asio::buffer(out_) + written_, ec);
    if (ec == asio::error::would_block || ec == asio::error::try_again) {
      writing_ = true;
      socket_.async_wait(asio::socket_base::wait_write,
                         [self = shared_from_this()](error_code error) {
                           self->writing_ = false;
                           if (!error)
                             self->loop_.turn([&] { self->loop_.touch(self); });
                         });
      break;
    }
    if (ec)
      return close();
    written_ += n;
    last_progress_ = clock::now();
  }
  if (written_ == out_.size()) {
    out_.clear();
    if (out_.capacity() > kept_capacity)
      out_.shrink_to_fit();
    written_ = 0;
  }
}

void connection::linger() {
  if (std::exchange(lingering_, true))
    return;
  // Closing while the client still sends would reset the connection under our answer.
  error_code ignored;
  socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  last_progress_ = clock::now();
  peer_closed_ ? close() : arm_read();
}

void connection::close() {
  if (std::exchange(closed_, true))
    return;
  drop_message();
  stream_.reset();
  loop_.count_unsent(std::exchange(counted_unsent_, 0), 0);
  error_code ignored;
  socket_.close(ignored);
  loop_.forget(id_);
}

bool connection::has_room() const {
  if (body_paused_ || unsent() >= max_unsent)
    return false;
  const auto limit = loop_.state().options.max_pipelined;
  return parser_.has_value() || (!last_request_seen_ && answers_.size() < limit &&
                                 answers_.reads() < std::max<std::size_t>(1, limit / 8));
}

bool connection::wants_read() const {
  if (closed_ || peer_closed_ || closing_)
    return false;
  return has_room() && !parse_blocked_;
}

void connection::arm_read() {
  if (std::exchange(reading_, true))
    return;
  socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](error_code error) {
    self->reading_ = false;
    if (!error && !self->closed_)
      self->loop_.turn([&] { self->loop_.serve(*self, [&] { self->on_readable(); }); });
  });
}

void connection::on_readable() {
  auto& buffer = loop_.read_buffer();
  const bool discards = lingering_ || stream_;
  if (!discards && !wants_read())
    return;
  auto have = discards ? 0 : unparsed_.size();
  std::memcpy(buffer.data(), unparsed_.data(), have);
  error_code ec;
  auto n = socket_.read_some(asio::buffer(buffer) + have, ec);
  if (ec == asio::error::would_block || ec == asio::error::try_again)
    return arm_read();
  if (discards)
    return ec ? close() : arm_read();
  if (ec == asio::error::eof) {
    peer_closed_ = true;
    if (parser_)
      fail(problem(400, "The request ended before it was complete."));
    return loop_.touch(shared_from_this());
  }
  if (ec)
    return close();
  last_progress_ = clock::now();
  span_bytes_ += n;
  unparsed_.clear();
  parse({buffer.data(), have + n});
  loop_.touch(shared_from_this());
}

void connection::parse(std::string_view data) {
  parse_blocked_ = false;
  while (!data.empty()) {
    if (!has_room()) {
      parse_blocked_ = parser_.has_value() || !last_request_seen_;
      break;
    }
    if (!parser_) {
      // RFC 9112, section 2.2: empty lines before a request line are ignored.
      if (data.substr(0, 2) == "\r\n") {
        data.remove_prefix(2);
        continue;
      }
      begin_message();
    }
    error_code ec;
    data.remove_prefix(parser_->put(asio::buffer(data.data(), data.size()), ec));
    if (ec == boost::beast::http::error::need_more) {
      if (data.size() < loop_.state().options.max_header)
        break;
      ec = boost::beast::http::error::header_limit;
    }
    if (ec)
      return fail(parser_->refusal(ec));
    if (parser_->is_done())
      finish_message();
  }
  if (parser_ || !last_request_seen_)
    unparsed_.assign(data);
}

void connection::begin_message() {
  parser_.emplace(static_cast<message_listener&>(*this), loop_.state().options.max_header);
  message_began_ = clock::now();
  body_size_ = 0;
  expects_continue_ = false;
  body_paused_ = false;
}

std::uint64_t connection::open_exchange() {
  framing frame;
  frame.head = parser_->message().method == verb::head;
  frame.reads = frame.head || parser_->message().method == verb::get;
  frame.keep_alive = parser_->keep_alive();
  frame.http_1_0 = parser_->http_1_0();
  last_request_seen_ = last_request_seen_ || !frame.keep_alive;
  return answers_.open(frame);
}

std::optional<response> connection::on_head(request& head,
                                            std::optional<std::uint64_t> content_length) {
  const auto& state = loop_.state();
  body_began_ = span_began_ = clock::now();
  span_bytes_ = 0;
  if (auto wrong = refuse_host(head, state.options.hosts))
    return wrong;
  if (is_cross_origin(head))
    return problem(403, "Requests from pages of other origins are not accepted.");
  if (head.method == verb::connect || head.method == verb::unknown)
    return problem(501, "This method is not implemented.");
  // Its bytes would be taken for the text itself: of an import, a line that is refused.
  if (auto coding = head.header(field::content_encoding);
      !coding.empty() && !boost::beast::iequals({coding.data(), coding.size()}, "identity"))
    return problem(415, "The body must not be compressed: Content-Encoding is not supported.");
  match_ = state.routes.find(head.method, head.path());
  if (match_.malformed)
    return problem(400, "The path's percent-encoding is broken.");
  head.parameters = std::move(match_.parameters);
  auto* to = match_.found;
  body_limit_ = to != nullptr && to->max_body ? *to->max_body : state.options.max_body;
  const bool streamed = to != nullptr && takes_stream(*to, head);
  // It would be taken for an empty one, and all its lines for another request.
  if (streamed && !content_length && !parser_->chunked())
    return problem(411, "The body needs a Content-Length, or the transfer coding chunked.");
  if (!streamed && content_length && *content_length > body_limit_)
    return problem(413, "The body may have at most " + std::to_string(body_limit_) + " bytes.");
  auto expect = head.header(field::expect);
  if (!expect.empty() && !boost::beast::iequals({expect.data(), expect.size()}, "100-continue"))
    return problem(417, "The only expectation is 100-continue.");
  expects_continue_ = !expect.empty() && !parser_->http_1_0() && content_length != 0;
  if (to != nullptr) {
    query_errors_.clear();
    head.query_parameters = parse_query(head.query(), to->query, query_errors_);
  }
  if (streamed) {
    if (!query_errors_.empty())
      return invalid_fields(query_errors_);
    sink_exchange_ = open_exchange();
    sink_ = to->stream(head, responder{loop_.completions(), id_, sink_exchange_},
                       body_flow{loop_.completions(), id_, sink_exchange_});
  }
  return std::nullopt;
}

std::optional<response> connection::on_piece(std::string_view piece) {
  expects_continue_ = false; // the client did not wait for it
  if (sink_) {
    body_paused_ = !sink_->on_piece(piece) || body_paused_;
    return std::nullopt;
  }
  body_size_ += piece.size();
  if (body_size_ > body_limit_)
    return problem(413, "The body may have at most " + std::to_string(body_limit_) + " bytes.");
  if (match_.found == nullptr)
    return std::nullopt;
  if (!take_room(piece.size()))
    return unavailable("The node holds as many unfinished bodies as it may; try again.");
  parser_->message().body += piece;
  return std::nullopt;
}

bool connection::take_room(std::size_t bytes) {
  auto& state = loop_.state();
  while (state.buffered.fetch_add(bytes, std::memory_order_relaxed) + bytes >
         state.options.max_buffered_bodies) {
    state.buffered.fetch_sub(bytes, std::memory_order_relaxed);
    if (!loop_.shed_body(*this))
      return false;
  }
  held_ += bytes;
  return true;
}

double connection::body_cost(clock::time_point now) const {
  return static_cast<double>(held_) * std::chrono::duration<double>(now - body_began_).count();
}

void connection::shed_body() {
  fail(unavailable("The node holds as many unfinished bodies as it may, and this one has taken the "
                   "most room for the longest time; try again."));
}

void connection::finish_message() {
  if (sink_) {
    auto sink = std::exchange(sink_, nullptr);
    body_paused_ = false;
    sink->on_end();
  } else {
    dispatch(open_exchange());
  }
  drop_message();
}

void connection::dispatch(std::uint64_t number) {
  if (match_.found != nullptr && !query_errors_.empty())
    return answers_.answer(number, invalid_fields(query_errors_));
  if (match_.found != nullptr) {
    std::shared_ptr<void> hold;
    if (!keep_in_work(parser_->message().body.size(), hold))
      return answers_.answer(
        number, unavailable("The node has as much large work at hand as it may; try again."));
    try {
      match_.found->handle(parser_->message(),
                           responder{loop_.completions(), id_, number, std::move(hold)});
    } catch (const std::exception& error) {
      log_thread_error("http", error); // its responder has answered 503
    }
    return;
  }
  answers_.answer(number, match_.allowed.empty() ? problem(404, "There is nothing at this path.")
                                                 : method_not_allowed(match_.allowed));
}

bool connection::keep_in_work(std::size_t bytes, std::shared_ptr<void>& hold) {
  const auto& state = loop_.state();
  if (bytes <= state.options.large_body)
    return true;
  auto& total = *state.in_work;
  const auto before = total.fetch_add(bytes, std::memory_order_relaxed);
  hold = {&total, [shared = state.in_work, bytes](void*) {
            shared->fetch_sub(bytes, std::memory_order_relaxed);
          }};
  return before + bytes <= state.options.max_buffered_bodies;
}

void connection::drop_message() {
  if (auto sink = std::exchange(sink_, nullptr))
    sink->on_abort();
  loop_.state().buffered.fetch_sub(std::exchange(held_, 0), std::memory_order_relaxed);
  parser_.reset();
  body_paused_ = false;
  expects_continue_ = false;
}

void connection::fail(response answer) {
  // A streamed request has its exchange already; its own answer, if any is still to come, is moot.
  framing frame;
  frame.head = parser_ && parser_->message().method == verb::head;
  auto number = sink_ ? sink_exchange_ : answers_.open(frame);
  answers_.answer(number, std::move(answer));
  answers_.close_after(number);
  last_request_seen_ = true;
  parse_blocked_ = false;
  unparsed_.clear();
  drop_message();
}

void connection::check_deadlines(clock::time_point now) {
  if (answers_.answer_late(now))
    loop_.touch(shared_from_this());
  const auto& o = loop_.state().options;
  if (lingering_) {
    if (now - last_progress_ > o.linger_timeout)
      close();
    return;
  }
  if (stream_ && out_.empty())
    return;
  if (!out_.empty() || (answers_.empty() && !parser_)) {
    if (now - last_progress_ > o.idle_timeout)
      close();
    return;
  }
  if (!parser_ || !wants_read())
    return;
  bool late = false;
  if (!parser_->is_header_done()) {
    late = now - message_began_ > o.header_timeout;
  } else if (now - span_began_ > o.body_timeout) {
    late = span_bytes_ < o.min_body_bytes;
    span_began_ = now;
    span_bytes_ = 0;
    late = late || (!sink_ && now - body_began_ > o.max_body_spans * o.body_timeout);
  }
  if (!late)
    return;
  fail(problem(408, "The request did not arrive in time."));
  loop_.touch(shared_from_this());
}

} // namespace signalbox::http
