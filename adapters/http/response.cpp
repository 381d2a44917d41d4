#include "adapters/http/response.hpp"

#include <charconv>
#include <ctime>

namespace signalbox::http {

namespace {

void append_number(std::string& out, std::size_t value, int base = 10) {
  char digits[20];
  auto result = std::to_chars(digits, digits + sizeof(digits), value, base);
  out.append(digits, result.ptr);
}

} // namespace

std::string_view reason_phrase(unsigned status) {
  switch (status) {
  case 200:
    return "OK";
  case 201:
    return "Created";
  case 202:
    return "Accepted";
  case 204:
    return "No Content";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 408:
    return "Request Timeout";
  case 409:
    return "Conflict";
  case 411:
    return "Length Required";
  case 413:
    return "Content Too Large";
  case 415:
    return "Unsupported Media Type";
  case 417:
    return "Expectation Failed";
  case 421:
    return "Misdirected Request";
  case 422:
    return "Unprocessable Content";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 500:
    return "Internal Server Error";
  case 501:
    return "Not Implemented";
  case 503:
    return "Service Unavailable";
  default:
    return "Unknown";
  }
}

std::string format_http_date(std::chrono::system_clock::time_point time) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  auto seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  // Not strftime's %a and %b: those follow the process's locale.
  char rest[32];
  auto size = std::strftime(rest, sizeof(rest), " %Y %H:%M:%S GMT", &parts);
  char day[8];
  auto day_size = std::strftime(day, sizeof(day), "%d ", &parts);
  std::string out = days[parts.tm_wday];
  out += ", ";
  out.append(day, day_size);
  out += months[parts.tm_mon];
  out.append(rest, size);
  return out;
}

void serialize(const response& answer, const framing& frame, std::string_view date,
               std::string& out) {
  out += "HTTP/1.1 ";
  append_number(out, answer.status);
  out += ' ';
  out += reason_phrase(answer.status);
  out += "\r\nDate: ";
  out += date;
  if (!answer.content_type.empty()) {
    out += "\r\nContent-Type: ";
    out += answer.content_type;
  }
  for (const auto& [name, value] : answer.headers) {
    out += "\r\n";
    out += name;
    out += ": ";
    out += value;
  }
  if (answer.stream) {
    if (is_chunked(frame))
      out += "\r\nTransfer-Encoding: chunked";
  } else if (answer.status != 204) {
    out += "\r\nContent-Length: ";
    append_number(out, answer.body.size());
  }
  if (!frame.keep_alive)
    out += "\r\nConnection: close";
  else if (frame.http_1_0)
    out += "\r\nConnection: keep-alive";
  out += "\r\n\r\n";
  if (!frame.head && answer.status != 204)
    out += answer.body;
}

bool is_chunked(const framing& frame) {
  return !frame.http_1_0;
}

void append_chunk(std::string_view piece, std::string& out) {
  append_number(out, piece.size(), 16);
  out += "\r\n";
  out += piece;
  out += "\r\n";
}

} // namespace signalbox::http
