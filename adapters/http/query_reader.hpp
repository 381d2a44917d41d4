#pragma once

#include "actors/ports/page.hpp"
#include "adapters/http/problem.hpp"
#include "adapters/http/request.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signalbox::http {

/// The parameters of a request's query. Unknown and repeated ones, and broken percent-encoding, are
/// errors whose pointer is the parameter's name.
class query_reader {
public:
  query_reader(const request& from, std::initializer_list<std::string_view> known,
               std::vector<field_error>& errors);

  /// The decoded value, if the parameter is given.
  std::optional<std::string_view> get(std::string_view name) const;

  /// Reads `limit` (1 to 200, default 50) and `cursor`.
  page_request page();
  /// What a cursor of this list is bound to: the path, and all parameters but those of the page.
  std::string identity() const;

private:
  std::string_view path_;
  std::vector<std::pair<std::string, std::string>> given_;
  std::vector<field_error>& errors_;
};

} // namespace signalbox::http
