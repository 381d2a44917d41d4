#pragma once

#include "runtime/node_settings.hpp"

#include <string>
#include <vector>

namespace signalbox {

/// A rule between settings, or one that no range can tell, that is broken.
struct broken_rule {
  std::string key; ///< the setting to look at, as `lane.push.lease`
  std::string text;
};

/// Judges values that are each within their range. Pure.
std::vector<broken_rule> check_rules(const node_settings& settings);

} // namespace signalbox
