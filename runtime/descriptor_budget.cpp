#include "runtime/descriptor_budget.hpp"

#include "adapters/store/sqlite/options.hpp"

#include <algorithm>

namespace signalbox {

namespace {

constexpr std::size_t of_a_loop = 3;       // epoll, eventfd, timerfd
constexpr std::size_t of_a_connection = 2; // SQLite: the database and its log
constexpr std::size_t standard_streams = 3;
// Names that are looked up, connections that end while others take over, files that are read again.
constexpr std::size_t reserve = 16;
constexpr std::size_t most_refused = 256;

std::size_t of_senders(const node_settings& settings, std::size_t connections) {
  std::size_t senders = 0;
  for (const auto& lane : settings.lanes)
    senders += lane.senders;
  return senders * (of_a_loop + connections);
}

} // namespace

descriptor_needs needed_descriptors(const node_settings& settings) {
  descriptor_needs needs;
  if (!settings.apns.key_file.empty()) {
    constexpr std::size_t environments = 2;
    needs.providers += of_senders(settings, environments * settings.apns.connections);
  }
  constexpr std::size_t channels = of_a_loop + 2; // a connection to each environment
  needs.providers += channels;
  if (!settings.fcm.service_account_file.empty()) {
    constexpr std::size_t token_exchange = of_a_loop + 1;
    needs.providers += of_senders(settings, settings.fcm.connections) + token_exchange;
  }
  // Beside the readers the writer, who copies the log, and who tells the health; shm and lock once.
  needs.store = of_a_connection * (store_readers(settings.store.readers) + 3) + 2;
  needs.rest = of_a_loop * settings.http.threads + 1 + standard_streams + 1 + reserve;
  return needs;
}

client_budget budget_descriptors(const node_settings& settings, std::size_t limit) {
  const auto own = needed_descriptors(settings).total();
  client_budget budget;
  budget.wanted = own + settings.http.max_connections + most_refused;
  const auto left = std::max(limit > own ? limit - own : 0, least_clients);
  budget.refused = std::clamp<std::size_t>(left / 8, 1, most_refused);
  budget.connections = std::min(settings.http.max_connections, left - budget.refused);
  return budget;
}

} // namespace signalbox
