#include "adapters/http/query_reader.hpp"

#include "adapters/http/cursor.hpp"
#include "adapters/http/whole_number.hpp"

#include <boost/url/encoding_opts.hpp>
#include <boost/url/pct_string_view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace signalbox::http {

namespace {

constexpr std::int64_t max_limit = 200;
constexpr std::size_t max_errors = 20;

std::optional<std::string> decode(std::string_view text) {
  auto checked = boost::urls::make_pct_string_view({text.data(), text.size()});
  if (!checked)
    return std::nullopt;
  boost::urls::encoding_opts form;
  form.space_as_plus = true;
  return checked->decode(form);
}

} // namespace

std::vector<query_parameter> parse_query(std::string_view query, const query_names& known,
                                         std::vector<field_error>& errors) {
  std::vector<query_parameter> given;
  while (!query.empty() && errors.size() < max_errors) {
    auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty())
      continue;
    auto equals = std::min(pair.find('='), pair.size());
    auto name = decode(pair.substr(0, equals));
    auto value = decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value)
      errors.push_back({std::string{pair.substr(0, equals)}, "has broken percent-encoding"});
    else if (name->empty())
      errors.push_back({"", "a query parameter has no name"});
    else if (std::find(known.begin(), known.end(), *name) == known.end())
      errors.push_back({*name, "is not a known query parameter"});
    else if (std::any_of(given.begin(), given.end(), [&](auto& one) { return one.name == *name; }))
      errors.push_back({*name, "is given twice"});
    else
      given.push_back({std::move(*name), std::move(*value)});
  }
  return given;
}

query_reader::query_reader(const request& from, std::vector<field_error>& errors)
  : from_(from), errors_(errors) {}

std::optional<std::string_view> query_reader::get(std::string_view name) const {
  for (const auto& one : from_.query_parameters)
    if (one.name == name)
      return one.value;
  return std::nullopt;
}

page_request query_reader::page() {
  page_request out;
  if (auto text = get("limit")) {
    const auto limit = whole_number(*text);
    if (limit && *limit >= 1 && *limit <= max_limit)
      out.limit = static_cast<std::size_t>(*limit);
    else
      errors_.push_back({"limit", "must be a number from 1 to 200"});
  }
  if (auto text = get("cursor")) {
    if (auto key = open_cursor(*text, identity()))
      out.after = std::move(*key);
    else
      errors_.push_back({"cursor", "is not a cursor that this list has given"});
  }
  return out;
}

std::string query_reader::identity() const {
  auto path = from_.path();
  if (path.size() > 1 && path.back() == '/')
    path.remove_suffix(1);
  auto parameters = from_.query_parameters;
  std::sort(parameters.begin(), parameters.end());
  std::string out{path};
  for (const auto& [name, value] : parameters)
    if (name != "limit" && name != "cursor")
      out += '\n' + name + '=' + value;
  return out;
}

} // namespace signalbox::http
