#include "adapters/simulator/traffic_stats.hpp"

namespace signalbox::sim {

namespace {

template <class Value>
bool rises(std::unordered_map<std::uint64_t, Value>& latest, std::uint64_t key, Value value) {
  const auto entry = latest.try_emplace(key, value).first;
  if (value < entry->second)
    return false;
  entry->second = value;
  return true;
}

} // namespace

traffic_totals& traffic_totals::operator+=(const traffic_totals& other) {
  requests += other.requests;
  accepted += other.accepted;
  rejected += other.rejected;
  for (const auto& [reason, count] : other.by_reason)
    by_reason[reason] += count;
  unique_targets += other.unique_targets;
  unique_accepted += other.unique_accepted;
  unique_apns_ids += other.unique_apns_ids;
  duplicates += other.duplicates;
  out_of_order += other.out_of_order;
  timestamp_decreased += other.timestamp_decreased;
  unanswered += other.unanswered;
  connections += other.connections;
  goaways += other.goaways;
  refused_streams += other.refused_streams;
  token_requests += other.token_requests;
  channel_requests += other.channel_requests;
  return *this;
}

boost::json::object to_json(const traffic_totals& totals) {
  boost::json::object by_reason;
  for (const auto& [reason, count] : totals.by_reason)
    by_reason.emplace(reason, count);
  return {{"requests", totals.requests},
          {"accepted", totals.accepted},
          {"rejected", totals.rejected},
          {"by_reason", std::move(by_reason)},
          {"unique_targets", totals.unique_targets},
          {"unique_accepted", totals.unique_accepted},
          {"unique_apns_ids", totals.unique_apns_ids},
          {"duplicates", totals.duplicates},
          {"out_of_order", totals.out_of_order},
          {"timestamp_decreased", totals.timestamp_decreased},
          {"unanswered", totals.unanswered},
          {"connections", totals.connections},
          {"goaways", totals.goaways},
          {"refused_streams", totals.refused_streams}};
}

void traffic_stats::count_target(std::uint64_t target, bool is_accepted) {
  auto& own = is_accepted ? accepted_targets_ : rejected_targets_;
  const auto& other = is_accepted ? rejected_targets_ : accepted_targets_;
  if (own.insert(target) && !other.contains(target))
    ++totals_.unique_targets;
}

void traffic_stats::count_accepted(std::optional<std::uint64_t> message_id) {
  ++totals_.accepted;
  if (message_id && !accepted_ids_.insert(*message_id))
    ++totals_.duplicates;
}

void traffic_stats::count_rejected(std::string_view reason) {
  ++totals_.rejected;
  auto found = totals_.by_reason.find(reason);
  if (found == totals_.by_reason.end())
    found = totals_.by_reason.emplace(reason, 0).first;
  ++found->second;
}

void traffic_stats::count_order(std::uint64_t key, double value) {
  totals_.out_of_order += rises(latest_order_, key, value) ? 0 : 1;
}

void traffic_stats::count_timestamp(std::uint64_t key, std::int64_t seconds) {
  totals_.timestamp_decreased += rises(latest_timestamp_, key, seconds) ? 0 : 1;
}

traffic_totals traffic_stats::totals() const {
  auto result = totals_;
  result.unique_accepted = accepted_targets_.size();
  result.unique_apns_ids = seen_ids_.size();
  return result;
}

void traffic_stats::clear() {
  *this = traffic_stats{};
}

} // namespace signalbox::sim
