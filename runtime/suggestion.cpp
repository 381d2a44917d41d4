#include "runtime/suggestion.hpp"

#include <algorithm>
#include <numeric>

namespace signalbox {

namespace {

/// Insertions, deletions, replacements and swaps of neighbours that make one text the other.
std::size_t edits(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before(to.size() + 1);
  std::vector<std::size_t> above(to.size() + 1);
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(above.begin(), above.end(), 0);
  for (std::size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (from[i - 1] != to[j - 1])});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above.back();
}

std::string_view last_part(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

} // namespace

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr std::size_t longest = 256;
  if (name.size() > longest)
    return "";
  auto best = 1 + std::min<std::size_t>(3, last_part(name).size() / 3 + 1);
  const std::string* nearest = nullptr;
  for (auto& candidate : candidates)
    if (auto distance = edits(name, candidate); distance < best) {
      best = distance;
      nearest = &candidate;
    }
  for (auto& candidate : candidates)
    if (nearest == nullptr && last_part(name) == last_part(candidate))
      nearest = &candidate;
  return nearest == nullptr ? "" : "; did you mean " + *nearest + "?";
}

} // namespace signalbox
