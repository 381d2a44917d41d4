#pragma once

#include "adapters/store/sqlite/ledger_state.hpp"
#include "adapters/store/sqlite/loading.hpp"
#include "messages/ledger.hpp"

#include <optional>
#include <vector>

namespace signalbox::sqlite {

/// After so many expiries without a new bit a chunk's targets are dead-lettered `lease_lost`.
inline constexpr int most_expiries = 5;

/// Frees the chunks that earlier boots left leased: nobody can hold it, since this process holds
/// the lock. That charges no expiry.
void void_leases(connection& database);

/// Frees what is leased longer than its lease; in the writer's transaction. Free of cost while no
/// lease can have ended. None ends while renewals wait for the writer or have just failed: it is
/// the store then that is late, and not their owners. Those of works that are being loaded are
/// renewed instead. How many rows could not be written: they are
/// left for later.
std::size_t expire_leases(connection& database, shared_state& shared, writer_state& state,
                          timestamp now);

/// Renews those still held by `owner` under their epoch.
std::vector<renewed_lease> renew_leases(connection& database, shared_state& shared,
                                        writer_state& state, const std::vector<lease_ref>& leases,
                                        std::chrono::milliseconds lease);

/// Gives back what is still held.
void release_leases(connection& database, shared_state& shared, writer_state& state,
                    const std::vector<lease_ref>& leases);

/// A held lease as a work to load again, with the time left of it; nothing if it is not held.
struct held_lease {
  claimed_work work;
  std::chrono::milliseconds left{0};
};
std::optional<held_lease> find_held(connection& database, const shared_state& shared,
                                    const lease_ref& lease);

/// How long before a lease ends its owner stops submitting: for clocks and for what is under way.
std::chrono::milliseconds lease_margin(std::chrono::milliseconds lease);

} // namespace signalbox::sqlite
