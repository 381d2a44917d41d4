#pragma once

#include "actors/breaker_board.hpp"
#include "actors/connection_board.hpp"
#include "actors/lane_board.hpp"
#include "actors/stage_directory.hpp"
#include "messages/subscription.hpp"

#include <string>

namespace signalbox {

/// The node's metrics in the Prometheus text exposition format (version 0.0.4): names below
/// `signalbox_`, base units, labels of low cardinality (lane, stage, instance, outcome, provider).
/// What could not be measured is left out: a gap, not a zero. Any thread.
std::string render_metrics(const stage_directory& stages, const lane_board& lanes,
                           const breaker_board& breakers, const connection_board& connections,
                           const subscription_counters& events);

} // namespace signalbox
