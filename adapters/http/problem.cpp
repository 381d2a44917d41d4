#include "adapters/http/problem.hpp"

#include <algorithm>
#include <cstddef>

namespace signalbox::http {

namespace {

/// Length of the valid UTF-8 sequence at the start of `text`, 0 when there is none (RFC 3629).
std::size_t utf8_sequence(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto lead = byte(0);
  if (lead < 0x80)
    return 1;
  std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length)
    return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80)
      return 0;
  auto second = byte(1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
      (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F))
    return 0;
  return length;
}

/// Stands for itself in a JSON string.
bool is_plain(char c) {
  return c >= 0x20 && c != '"' && c != '\\' && c != 0x7F && static_cast<unsigned char>(c) < 0x80;
}

} // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  for (;;) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain]))
      ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty())
      break;
    auto c = static_cast<unsigned char>(text.front());
    auto length = utf8_sequence(text);
    if (length == 0) {
      out += "\\ufffd";
      length = 1;
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += text.front();
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20 || c == 0x7F) {
      out += "\\u00";
      out += hex[c >> 4];
      out += hex[c & 15];
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  out += '"';
}

namespace {

/// Appends `text` as a JSON string, cut at a character if it is too long to be repeated.
void append_echo(std::string& out, std::string_view text) {
  if (text.size() <= max_echo)
    return append_json_string(out, text);
  auto size = max_echo;
  while (size > max_echo - 4 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
    --size;
  append_json_string(out, std::string{text.substr(0, size)} + "...");
}

} // namespace

void append_error(std::string& out, const field_error& error) {
  out += "{\"pointer\":";
  append_echo(out, error.pointer);
  out += ",\"detail\":";
  append_echo(out, error.detail);
}

response problem(unsigned status, std::string_view detail, const std::vector<field_error>& errors) {
  response answer;
  answer.status = status;
  answer.content_type = "application/problem+json";
  auto& body = answer.body;
  body = R"({"type":"about:blank","title":)";
  append_json_string(body, reason_phrase(status));
  body += ",\"status\":" + std::to_string(status) + ",\"detail\":";
  append_echo(body, detail);
  if (!errors.empty()) {
    const auto listed = std::min(errors.size(), max_listed_errors);
    body += ",\"errors\":[";
    for (std::size_t i = 0; i < listed; ++i) {
      if (i > 0)
        body += ',';
      append_error(body, errors[i]);
      body += '}';
    }
    body += ']';
    if (listed < errors.size())
      body += ",\"errors_omitted\":" + std::to_string(errors.size() - listed);
  }
  body += '}';
  return answer;
}

response unavailable(std::string_view detail) {
  auto answer = problem(503, detail);
  answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

response invalid_fields(const std::vector<field_error>& errors) {
  return problem(400, "The request has fields that are not acceptable.", errors);
}

} // namespace signalbox::http
