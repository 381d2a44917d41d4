#pragma once

#include "actors/retry_policy.hpp"
#include "messages/ledger.hpp"

#include <cstdint>
#include <vector>

namespace signalbox {

/// Failures of outage kind in a row at one destination, as one sender sees them, and whom they were
/// charged to: those attempts are taken back when the breaker opens. Pure; bounded by the
/// threshold.
class failure_run {
public:
  explicit failure_run(unsigned threshold) : threshold_(threshold) {}

  /// Answers that came together, in no known order: whether the provider worked for any of them,
  /// and how many failed. Answers what those failures stand for; `blocked`: the breaker is open.
  standing judge(bool success, unsigned failures, bool blocked);

  /// A charged failure since the last success. No more are kept than it takes to open the breaker.
  void remember(const retry_ref& charged);
  /// Whom the run was charged to; forgets them.
  std::vector<retry_ref> take_charged();

  /// Another sender had a success.
  void succeed();

  unsigned length() const { return length_; }

private:
  unsigned threshold_;
  unsigned length_ = 0;
  bool works_ = false; ///< the last that was heard was a success
  std::vector<retry_ref> charged_;
};

} // namespace signalbox
