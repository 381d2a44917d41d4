#include "adapters/telemetry/metrics.hpp"

#include "messages/app_name.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <functional>
#include <utility>
#include <vector>

namespace signalbox {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

using labels = std::vector<prometheus::ClientMetric::Label>;

MetricFamily family(std::string name, std::string help, MetricType type) {
  MetricFamily made;
  made.name = std::move(name);
  made.help = std::move(help);
  made.type = type;
  return made;
}

void add(MetricFamily& to, labels label, double value) {
  ClientMetric metric;
  metric.label = std::move(label);
  if (to.type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  to.metric.push_back(std::move(metric));
}

MetricFamily stage_family(const std::vector<stage_entry>& entries, std::string name,
                          std::string help, MetricType type,
                          const std::function<double(const stage_entry&)>& value) {
  auto made = family(std::move(name), std::move(help), type);
  for (const auto& entry : entries)
    add(made,
        {{"lane", entry.place.lane},
         {"stage", entry.place.stage},
         {"instance", std::to_string(entry.place.instance)}},
        value(entry));
  return made;
}

MetricFamily build_info() {
  auto made = family("signalbox_build_info", "The version that runs; always 1.", MetricType::Gauge);
  add(made, {{"version", SIGNALBOX_VERSION}}, 1);
  return made;
}

void add_counters(const std::vector<lane_view>& lanes, std::vector<MetricFamily>& to) {
  auto outcomes =
    family("signalbox_outcomes_total", "Targets by what became of them.", MetricType::Counter);
  auto retries = family("signalbox_retries_scheduled_total", "Tries that are to be repeated later.",
                        MetricType::Counter);
  auto letters = family("signalbox_dead_lettered_total", "Targets that became dead letters.",
                        MetricType::Counter);
  auto refunded = family("signalbox_attempts_refunded_total",
                         "Tries that were not charged to their targets, for an outage of the "
                         "provider.",
                         MetricType::Counter);
  for (const auto& lane : lanes) {
    const auto& counters = *lane.counters;
    for (const auto status :
         {outcome_status::accepted, outcome_status::rejected, outcome_status::unknown,
          outcome_status::expired, outcome_status::skipped})
      add(outcomes, {{"lane", lane.lane}, {"status", std::string{to_string(status)}}},
          static_cast<double>(counters.of(status)));
    add(retries, {{"lane", lane.lane}}, static_cast<double>(counters.of(outcome_status::retry)));
    add(letters, {{"lane", lane.lane}}, static_cast<double>(counters.dead_letters.load()));
    add(refunded, {{"lane", lane.lane}}, static_cast<double>(counters.refunded.load()));
  }
  for (auto* one : {&outcomes, &retries, &letters, &refunded})
    to.push_back(std::move(*one));
}

void add_backlogs(const std::vector<lane_view>& lanes, std::vector<MetricFamily>& to) {
  auto waiting =
    family("signalbox_backlog", "What waits in the store, by kind.", MetricType::Gauge);
  auto age = family("signalbox_oldest_due_age_seconds",
                    "For how long the oldest due chunk or retry has been due.", MetricType::Gauge);
  auto letters = family("signalbox_dead_letters", "Dead letters in the store.", MetricType::Gauge);
  auto pauses = family("signalbox_pauses", "Pauses that hold.", MetricType::Gauge);
  auto size = family("signalbox_store_bytes", "Size of the database.", MetricType::Gauge);
  auto log = family("signalbox_store_log_bytes", "Size of the database's write-ahead log.",
                    MetricType::Gauge);
  const lane_view* newest = nullptr;
  for (const auto& lane : lanes) {
    if (!lane.waiting)
      continue;
    const auto& counted = *lane.waiting;
    const auto of_kind = [&](const char* kind, std::int64_t value) {
      add(waiting, {{"lane", lane.lane}, {"kind", kind}}, static_cast<double>(value));
    };
    of_kind("ready_chunks", counted.ready_chunks);
    of_kind("due_retries", counted.due_retries);
    of_kind("waiting_retries", counted.waiting_retries);
    of_kind("scheduled_jobs", counted.scheduled_jobs);
    add(age, {{"lane", lane.lane}}, std::chrono::duration<double>{counted.oldest_due_age}.count());
    if (newest == nullptr || newest->measured_at < lane.measured_at)
      newest = &lane;
  }
  if (newest != nullptr) {
    add(letters, {}, static_cast<double>(newest->waiting->dead_letters));
    add(pauses, {}, static_cast<double>(newest->waiting->pauses));
    add(size, {}, static_cast<double>(newest->waiting->store_bytes));
    add(log, {}, static_cast<double>(newest->waiting->store_log_bytes));
  }
  for (auto* one : {&waiting, &age, &letters, &pauses, &size, &log})
    to.push_back(std::move(*one));
}

MetricFamily breaker_family(const breaker_board& breakers) {
  auto open = family("signalbox_breaker_open", "1 while a breaker is not closed, else absent.",
                     MetricType::Gauge);
  for (const auto& [place, state, reason, since, probe] : breakers.list()) {
    labels of{{"lane", place.lane},
              {"app", std::string{app_name(place.dest.app)}},
              {"provider", std::string{to_string(place.dest.provider)}},
              {"environment", std::string{to_string(place.dest.env)}},
              {"kind", std::string{to_string(place.kind)}}};
    if (!place.server.empty())
      of.push_back({"server", place.server});
    add(open, std::move(of), 1);
  }
  return open;
}

MetricFamily connection_family(const connection_board& connections) {
  auto failed =
    family("signalbox_connection_failures_total",
           "Connections to a provider's host that failed or were lost, by the step or the cause.",
           MetricType::Counter);
  for (const auto& [place, fault, count] : connections.list())
    add(failed,
        {{"provider", std::string{to_string(place.dest.provider)}},
         {"environment", std::string{to_string(place.dest.env)}},
         {"server", place.server},
         {"reason", std::string{to_string(fault)}}},
        static_cast<double>(count));
  return failed;
}

void add_events(const subscription_counters& events, std::vector<MetricFamily>& to) {
  const auto one = [&](const char* name, const char* help, MetricType type, double value) {
    auto of = family(name, help, type);
    add(of, {}, value);
    to.push_back(std::move(of));
  };
  one("signalbox_sse_subscribers", "Streams of live events that are open.", MetricType::Gauge,
      static_cast<double>(events.open.load()));
  one("signalbox_sse_events_sent_total", "Events that subscribers' connections took.",
      MetricType::Counter, static_cast<double>(events.sent.load()));
  one("signalbox_sse_events_dropped_total",
      "Events that a slow subscriber did not get, since newer ones took their place.",
      MetricType::Counter, static_cast<double>(events.dropped.load()));
  one("signalbox_sse_streams_closed_total",
      "Streams that were ended since a final event found no room.", MetricType::Counter,
      static_cast<double>(events.closed.load()));
}

} // namespace

std::string render_metrics(const stage_directory& stages, const lane_board& lanes,
                           const breaker_board& breakers, const connection_board& connections,
                           const subscription_counters& events) {
  const auto entries = stages.list();
  std::vector<MetricFamily> families{
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
  const auto views = lanes.list();
  add_counters(views, families);
  add_backlogs(views, families);
  families.push_back(breaker_family(breakers));
  families.push_back(connection_family(connections));
  add_events(events, families);
  return prometheus::TextSerializer{}.Serialize(families);
}

} // namespace signalbox
