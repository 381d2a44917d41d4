#pragma once

#include "actors/ports/page.hpp"
#include "adapters/http/problem.hpp"
#include "adapters/http/request.hpp"
#include "adapters/http/route.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

/// Takes a query apart. Parameters that are not `known`, repeated ones, those without a name and
/// broken percent-encoding are errors whose pointer is the parameter's name.
std::vector<query_parameter> parse_query(std::string_view query, const query_names& known,
                                         std::vector<field_error>& errors);

/// Reads the parameters of a request whose query has been taken apart.
class query_reader {
public:
  query_reader(const request& from, std::vector<field_error>& errors);

  /// The decoded value, if the parameter is given.
  std::optional<std::string_view> get(std::string_view name) const;

  /// Reads `limit` (1 to 200, default 50) and `cursor`.
  page_request page();
  /// What a cursor of this list is bound to: the path, and all parameters but those of the page.
  std::string identity() const;

private:
  const request& from_;
  std::vector<field_error>& errors_;
};

} // namespace signalbox::http
