#include "adapters/http/message_parser.hpp"

#include "adapters/http/problem.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

namespace signalbox::http {

namespace {

constexpr std::size_t max_fields = 100;

std::string_view to_std(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

/// What cannot stand in a URI as itself (RFC 3986, section 2), and would be read differently by
/// whoever else looks at the request.
bool is_raw(char c) {
  return c <= ' ' || c > '~' || c == '#' || c == '\\';
}

/// Beast joins a folded value in a buffer of its own, or finds it on a later line than its name.
bool is_folded(boost::beast::string_view name, boost::beast::string_view value) {
  const char* name_end = name.data() + name.size();
  auto distance =
    reinterpret_cast<std::uintptr_t>(value.data()) - reinterpret_cast<std::uintptr_t>(name_end);
  return !value.empty() &&
         (distance > 65'536 || std::find(name_end, value.data(), '\n') != value.data());
}

} // namespace

message_parser::message_parser(message_listener& listener, std::size_t max_header)
  : listener_(listener) {
  eager(true);
  header_limit(static_cast<std::uint32_t>(max_header));
  body_limit(boost::none); // the listener knows the route's limit
}

response message_parser::refusal(boost::system::error_code ec) const {
  using boost::beast::http::error;
  if (refusal_)
    return *refusal_;
  if (ec == error::header_limit)
    return problem(431, "The request's header is larger than the node accepts.");
  return problem(400, "The request is not well-formed HTTP: " + ec.message() + '.');
}

void message_parser::refuse(response answer, error_code& ec) {
  refusal_ = std::move(answer);
  ec = boost::beast::http::error::end_of_stream;
}

void message_parser::on_request_impl(verb method, view, view target, int version, error_code& ec) {
  message_.method = method;
  version_ = version;
  if (auto raw = std::find_if(target.begin(), target.end(), is_raw); raw != target.end()) {
    char code[4];
    std::snprintf(code, sizeof(code), "%%%02X", static_cast<unsigned char>(*raw));
    return refuse(problem(400, "The request target must be percent-encoded: byte " +
                                 std::to_string(raw - target.begin() + 1) + " has to be written " +
                                 code + '.'),
                  ec);
  }
  if (!message_.set_target(to_std(target)))
    refuse(problem(400, "The request target must be a path."), ec);
}

void message_parser::on_field_impl(field id, view name, view value, error_code& ec) {
  if (head_done_)
    return; // a trailer must not change what the request means
  if (is_folded(name, value))
    return refuse(problem(400, "Folded header fields are not accepted."), ec);
  if (id == field::content_length &&
      (message_.count(id) > 0 ||
       !std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })))
    return refuse(problem(400, "Content-Length must be given once, as one number."), ec);
  if (id == field::transfer_encoding) {
    if (version_ == 10)
      return refuse(problem(400, "HTTP/1.0 has no Transfer-Encoding."), ec);
    if (!boost::beast::iequals(value, "chunked"))
      return refuse(problem(501, "The only transfer coding is chunked."), ec);
  }
  if (id == field::host && message_.count(id) > 0)
    return refuse(problem(400, "Host must be given once."), ec);
  message_.add_field(id, to_std(name), to_std(value));
  if (message_.field_count() > max_fields)
    ec = boost::beast::http::error::header_limit;
}

void message_parser::on_header_impl(error_code& ec) {
  head_done_ = true;
  if (version_ == 11 && message_.count(field::host) == 0)
    return refuse(problem(400, "Host is missing."), ec);
  auto length = content_length();
  if (auto answer =
        listener_.on_head(message_, length ? std::optional<std::uint64_t>{*length} : std::nullopt))
    refuse(std::move(*answer), ec);
}

std::size_t message_parser::on_body_impl(view piece, error_code& ec) {
  if (auto answer = listener_.on_piece(to_std(piece)))
    refuse(std::move(*answer), ec);
  return piece.size();
}

std::size_t message_parser::on_chunk_body_impl(std::uint64_t, view piece, error_code& ec) {
  return on_body_impl(piece, ec);
}

} // namespace signalbox::http
