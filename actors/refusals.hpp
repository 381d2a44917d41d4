#pragma once

#include "messages/protocol.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

namespace signalbox {

/// Whether refused credentials are the account's fault or a target's own. It is the account's once
/// two targets were refused for the same reason and nothing was accepted since their requests left.
/// What was refused before a success is that target's own fault, also the next time.
///
/// Pure. Bounded: of the targets at fault it knows the last 4,096 (about 300 KiB), of the
/// reasons 16.
class refusals {
public:
  /// Targets that were refused for this reason. Answers whether it is the account's fault.
  bool add(const std::string& reason, const std::vector<refused_target>& targets);
  /// Something was accepted: what was refused until now says nothing of the account.
  void accepted();
  /// Some were refused, and nothing was accepted since.
  bool any() const { return !lately_.empty(); }
  /// The credentials may be others now.
  void forget();

private:
  void blame(token_id target);

  std::map<std::string, token_id> evidence_; ///< the first target for each reason
  std::vector<token_id> lately_;             ///< refused since the last success
  std::unordered_set<token_id> at_fault_;
  std::deque<token_id> order_; ///< of `at_fault_`, oldest first
};

} // namespace signalbox
