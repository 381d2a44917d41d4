#pragma once

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

using boost::beast::http::field;
using boost::beast::http::verb;

/// A decoded segment of the path that a route's pattern names, e.g. `{user}`.
struct path_parameter {
  std::string_view name; ///< lives as long as the router
  std::string value;     ///< percent-decoded, any bytes
};

/// A parameter of the query.
struct query_parameter {
  std::string name;
  std::string value; ///< both decoded, any bytes

  auto operator<=>(const query_parameter&) const = default;
};

/// One request as handlers see it. Valid during the handler's call; a handler may move `body` out.
class request {
public:
  verb method = verb::unknown;
  std::string body;
  std::vector<path_parameter> parameters;
  std::vector<query_parameter> query_parameters; ///< those that the route knows, each once

  /// The path as received, percent-encoded, without the query.
  std::string_view path() const { return std::string_view{target_}.substr(0, path_size_); }
  /// What follows the first `?`, percent-encoded.
  std::string_view query() const;
  /// The value of the first field of that name, empty when absent.
  std::string_view header(field id) const;
  /// By name, in any case: for fields that Beast's `field` does not know.
  std::string_view header(std::string_view name) const;
  /// How many fields of that name there are.
  std::size_t count(field id) const;
  /// The path parameter `name`; empty when the route has none of that name.
  const std::string& parameter(std::string_view name) const;
  /// The media type of Content-Type in lower case, without its parameters.
  std::string media_type() const;

  /// Host and port that an absolute-form target (RFC 9112, section 3.2.2) names; else empty.
  std::string_view authority() const { return authority_; }

  /// For the parser. Takes the origin form and the absolute form; false if `target` has neither.
  bool set_target(std::string_view target);
  void add_field(field id, std::string_view name, std::string_view value);
  std::size_t field_count() const { return fields_.size(); }

private:
  struct field_range {
    field id;
    std::uint32_t name, value, end;
  };

  std::string_view value_of(const field_range& f) const {
    return std::string_view{text_}.substr(f.value, f.end - f.value);
  }

  std::string target_; ///< without scheme and authority
  std::string authority_;
  std::size_t path_size_ = 0;
  std::string text_;
  std::vector<field_range> fields_;
};

} // namespace signalbox::http
