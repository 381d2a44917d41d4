#pragma once

#include "messages/outcome.hpp"

#include <cstddef>
#include <list>
#include <unordered_map>

namespace signalbox {

/// Tokens that were blamed before their environment and topic had proved themselves, each with the
/// last answer that blamed it. Pure. Bounded: beyond 4,096 tokens (about 600 KiB) the oldest is
/// forgotten; it is found again at its next push.
class unproved_tokens {
public:
  void add(late_invalidation blamed);
  void forget(token_id token); ///< it was accepted
  /// Takes the oldest out; there must be one.
  late_invalidation take();
  bool empty() const { return order_.empty(); }
  std::size_t size() const { return order_.size(); }

private:
  std::list<late_invalidation> order_; ///< oldest first
  std::unordered_map<token_id, std::list<late_invalidation>::iterator> places_;
};

} // namespace signalbox
