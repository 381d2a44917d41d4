#pragma once

#include <string>

namespace signalbox {

/// Why a provider could not take what a request gives for it.
struct payload_refusal {
  std::string pointer; ///< JSON pointer (RFC 6901) of the member, in `new_job::payload`; empty: all
  std::string detail;  ///< for a human
};

} // namespace signalbox
