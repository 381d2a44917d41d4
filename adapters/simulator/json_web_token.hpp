#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::sim {

/// The parts of a JSON Web Token (RFC 7519) in its compact form, unverified.
struct json_web_token {
  boost::json::object header;
  boost::json::object claims;
  std::string_view signed_part; ///< a view into the text
  std::string signature;        ///< the bytes

  /// Whether a header member or a claim is this text.
  static bool has_text(const boost::json::object& part, std::string_view name,
                       std::string_view expected);

  /// A claim that is a time (NumericDate): seconds since the epoch, which may have a fraction.
  /// Nothing when it is missing, no number, or a time that no clock shows.
  std::optional<std::int64_t> seconds(std::string_view name) const;
};

/// Nothing when the text has not this form: three parts in base64url, the first two JSON objects.
std::optional<json_web_token> parse_json_web_token(std::string_view text);

} // namespace signalbox::sim
