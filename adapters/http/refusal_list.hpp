#pragma once

#include "adapters/http/problem.hpp"
#include "adapters/http/response.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace signalbox::http {

/// The refused registrations of one request, as its answer lists them: the first ones, as many as
/// 1,000 and as fit 256 KiB; the others are counted.
class refusal_list {
public:
  /// `line` counts from 1; 0 where the body has no lines.
  void add(std::size_t line, const field_error& error);

  /// `{created, updated, refused, errors: [...], errors_omitted}`.
  response answer(std::int64_t created, std::int64_t updated) const;

private:
  std::string listed_; ///< JSON, without the brackets
  std::int64_t listed_count_ = 0;
  std::int64_t count_ = 0;
};

} // namespace signalbox::http
