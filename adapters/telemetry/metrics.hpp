#pragma once

#include "actors/stage_directory.hpp"

#include <string>

namespace signalbox {

/// The node's metrics in the Prometheus text exposition format (version 0.0.4): names below
/// `signalbox_`, base units, labels of low cardinality (lane, stage, instance). Any thread.
std::string render_metrics(const stage_directory& stages);

} // namespace signalbox
