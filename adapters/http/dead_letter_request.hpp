#pragma once

#include "actors/ports/dead_letters.hpp"
#include "adapters/http/problem.hpp"
#include "adapters/http/query_reader.hpp"

#include <string_view>
#include <vector>

namespace signalbox::http {

/// The query parameters of a filter, for a query_reader.
inline constexpr std::string_view filter_names[] = {"app", "job", "lane", "reason", "reference"};

/// Which dead letters the query names.
struct dead_letter_query {
  dead_letter_filter filter;
  bool filtered = false; ///< names more than an app
};

dead_letter_query read_dead_letter_query(const query_reader& query,
                                         std::vector<field_error>& errors);

/// `{app?, job?, lane?, reason?, reference?, dry_run?}`
struct replay_body {
  dead_letter_filter filter;
  bool dry_run = false;
};

/// When `errors` is not empty afterwards, the result is not to be used. Pure.
replay_body read_replay_body(std::string_view text, std::vector<field_error>& errors);

} // namespace signalbox::http
