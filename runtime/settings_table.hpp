#pragma once

#include "runtime/node_settings.hpp"
#include "runtime/setting_range.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// One row: all that the parser, the environment, --check-config and the documentation know of it.
struct setting {
  std::string_view name; ///< dotted; `lane.*.masters` applies to each lane
  setting_range range;
  bool reloadable; ///< SIGHUP applies a change; else it takes a restart
  std::string_view text;
  /// The lane matters to rows of lanes only.
  std::function<setting_value(const node_settings&, const lane_settings&)> get;
  std::function<void(node_settings&, lane_settings&, const setting_value&)> set;

  bool of_lanes() const { return name.starts_with("lane.*."); }

  /// `name`, with a lane's name for the star.
  std::string full_name(const lane_settings& lane) const;
};

/// All settings, in the order of the documentation. The defaults are those of `node_settings{}`.
const std::vector<setting>& settings_table();

/// `http.port` is `SIGNALBOX_HTTP_PORT` in the environment.
std::string environment_name(std::string_view name);

} // namespace signalbox
