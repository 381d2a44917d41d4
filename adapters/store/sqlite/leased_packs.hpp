#pragma once

#include "adapters/store/sqlite/retry_packs.hpp"

#include <optional>
#include <unordered_map>
#include <vector>

namespace signalbox::sqlite {

/// The packs that a work of retries has leased, read as far as its targets are looked for, and
/// written at once. In the writer's transaction.
class leased_packs {
public:
  leased_packs(connection& database, const retry_leases& leases, job_number job,
               std::uint64_t epoch);

  /// Where the work is sent to; not to be asked for what holds nothing.
  const lane_pool& place() const { return lease_->place; }

  /// Takes a target's entry out of its pack; nothing if it is not the work's any more.
  std::optional<retry_entry> take(token_id token);
  /// Marks a target as possibly sent; false if it is not the work's any more.
  bool mark_sent(token_id token);

  /// Writes the packs that were changed; those that have come to their end are added to `ended`:
  /// their leases end after the commit.
  void write(std::vector<pack_number>& ended);

private:
  struct opened {
    retry_pack pack;
    bool is_changed = false;
  };
  struct place_of_entry {
    opened* in;
    std::vector<retry_entry>::iterator at;
  };

  std::optional<place_of_entry> find(token_id token);
  opened& open(pack_number n);

  connection& database_;
  std::optional<retry_lease> lease_;
  std::unordered_map<pack_number, opened> opened_;
};

} // namespace signalbox::sqlite
