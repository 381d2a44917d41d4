#include "runtime/node_settings.hpp"

namespace signalbox {

std::vector<lane_settings> node_settings::built_in_lanes() {
  std::vector<lane_settings> result(2);
  result[0].name = "push";
  result[1].name = "live-activity";
  result[1].kind = lane_settings::lane_kind::live_activity;
  return result;
}

std::filesystem::path state_directory(const node_settings& settings) {
  if (!settings.node.state_dir.empty())
    return settings.node.state_dir;
  auto beside = settings.store.path.parent_path();
  return beside.empty() ? std::filesystem::path{"."} : beside;
}

} // namespace signalbox
