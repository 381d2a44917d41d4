#include "adapters/http/json_writer.hpp"

#include "adapters/http/problem.hpp"
#include "adapters/http/rfc3339.hpp"

#include <utility>

namespace signalbox::http {

std::string& json_writer::member(std::string_view key) {
  if (out_.size() > 1)
    out_ += ',';
  append_json_string(out_, key);
  return out_ += ':';
}

json_writer& json_writer::add(std::string_view key, std::string_view text) {
  append_json_string(member(key), text);
  return *this;
}

json_writer& json_writer::add(std::string_view key, std::int64_t number) {
  member(key) += std::to_string(number);
  return *this;
}

json_writer& json_writer::add(std::string_view key, bool flag) {
  member(key) += flag ? "true" : "false";
  return *this;
}

json_writer& json_writer::add(std::string_view key, const std::optional<timestamp>& time) {
  return time ? add(key, *time) : add_json(key, "null");
}

json_writer& json_writer::add(std::string_view key, timestamp time) {
  return add(key, std::string_view{format_rfc3339(time)});
}

json_writer& json_writer::add_json(std::string_view key, std::string_view json) {
  member(key) += json;
  return *this;
}

std::string json_writer::take() {
  out_ += '}';
  return std::move(out_);
}

} // namespace signalbox::http
