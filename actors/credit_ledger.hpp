#pragma once

#include "messages/protocol.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace signalbox {

/// The arithmetic of credit: how many targets each sender has room for, per destination. Each
/// (sender, destination) has the same capacity: the sender's window, and what it should have queued
/// ahead of it.
class credit_ledger {
public:
  explicit credit_ledger(std::size_t capacity);

  /// Which provider each sender serves, by place. Nothing: the sender is down, and has no room.
  void set_senders(std::vector<std::optional<platform>> platforms);

  /// From now on there is room for this destination at every sender of its provider.
  void open(const destination& dest);
  bool empty() const { return used_.empty(); } ///< no destination is known yet

  /// At most this much is promised of each sender for the destination, while it is below its
  /// capacity: 0 for one that nothing is to be sent to.
  void set_limit(const destination& dest, std::size_t limit);

  /// Reserves and answers room: for `wanted`, or for any destination when it is empty; at most a
  /// `divisor`-th of a capacity from each share. Answers nothing unless some share has a quarter of
  /// its capacity free, or, when `urgent`, any room at all.
  std::vector<credit_share> reserve(const std::vector<destination>& wanted, bool urgent,
                                    std::size_t divisor);

  /// Room at the sender that holds least for the destination, whatever its limit;
  /// nothing if none is up.
  std::optional<credit_share> reserve_probe(const destination& dest, std::size_t targets);

  /// Negative: takes what a claim overdrew.
  void give_back(const credit_share& share);

  /// What a sender holds according to itself: for a new sender 0, for a new ledger what is true.
  void set_used(const credit_share& held);
  void clear_sender(std::size_t sender);

  std::int64_t used(std::size_t sender, const destination& dest) const;

private:
  std::int64_t capacity_;
  std::int64_t capacity_for(const destination& dest) const;

  std::vector<std::optional<platform>> platforms_;
  std::map<destination, std::int64_t> limits_;            ///< only those below the capacity
  std::map<destination, std::vector<std::int64_t>> used_; ///< by sender
};

} // namespace signalbox
