#include "adapters/telemetry/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <functional>
#include <utility>
#include <vector>

namespace signalbox {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily stage_family(const std::vector<stage_entry>& entries, std::string name,
                          std::string help, MetricType type,
                          const std::function<double(const stage_entry&)>& value) {
  MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  for (const auto& entry : entries) {
    ClientMetric metric;
    metric.label = {{"lane", entry.place.lane},
                    {"stage", entry.place.stage},
                    {"instance", std::to_string(entry.place.instance)}};
    if (type == MetricType::Counter)
      metric.counter.value = value(entry);
    else
      metric.gauge.value = value(entry);
    family.metric.push_back(std::move(metric));
  }
  return family;
}

MetricFamily build_info() {
  MetricFamily family;
  family.name = "signalbox_build_info";
  family.help = "The version that runs; always 1.";
  family.type = MetricType::Gauge;
  ClientMetric metric;
  metric.label = {{"version", SIGNALBOX_VERSION}};
  metric.gauge.value = 1;
  family.metric.push_back(std::move(metric));
  return family;
}

} // namespace

std::string render_metrics(const stage_directory& stages) {
  const auto entries = stages.list();
  const std::vector<MetricFamily> families{
    build_info(),
    stage_family(entries, "signalbox_mailbox_depth", "Messages queued or held by an actor.",
                 MetricType::Gauge,
                 [](const stage_entry& e) { return static_cast<double>(e.mailbox->depth.load()); }),
    stage_family(
      entries, "signalbox_mailbox_capacity", "Messages an actor's mailbox takes before it refuses.",
      MetricType::Gauge,
      [](const stage_entry& e) { return static_cast<double>(e.mailbox->capacity.load()); }),
    stage_family(
      entries, "signalbox_mailbox_high_water", "Most messages an actor has had queued at once.",
      MetricType::Gauge,
      [](const stage_entry& e) { return static_cast<double>(e.mailbox->high_water.load()); }),
    stage_family(
      entries, "signalbox_mailbox_processed_total", "Messages an actor has processed.",
      MetricType::Counter,
      [](const stage_entry& e) { return static_cast<double>(e.mailbox->processed.load()); }),
    stage_family(
      entries, "signalbox_mailbox_refused_total", "Messages a full mailbox refused.",
      MetricType::Counter,
      [](const stage_entry& e) { return static_cast<double>(e.mailbox->refused.load()); }),
    stage_family(entries, "signalbox_actor_restarts_total", "Times an actor was started again.",
                 MetricType::Counter,
                 [](const stage_entry& e) { return static_cast<double>(e.restarts); }),
  };
  return prometheus::TextSerializer{}.Serialize(families);
}

} // namespace signalbox
