#pragma once

#include "messages/work.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace signalbox {

/// How a request ended.
enum class answer_kind : std::uint8_t {
  answered, ///< the provider's status and reason
  unsent,   ///< it certainly did not reach the application: GOAWAY above last-stream-id,
            ///< REFUSED_STREAM, no connection. Safe to send again at once.
  unknown,  ///< it left and was not answered: timeout, reset, lost connection
};

/// Any answer but a plain success.
struct answer {
  std::uint32_t position = 0; ///< in work::targets
  answer_kind kind = answer_kind::answered;
  std::uint16_t status = 0;        ///< HTTP status
  std::string reason;              ///< the provider's reason, or the transport's own error text
  std::string unique_id;           ///< APNs' own of the request (sandbox); empty: not given
  std::int64_t timestamp_ms = 0;   ///< APNs 410: when the token became invalid; 0: not given
  std::uint32_t retry_after_s = 0; ///< 0: not given
  bool provider_alive = false;     ///< unknown: others were accepted after this one left
  bool callers_topic = false;      ///< APNs: the job's caller set the topic that was refused
};

/// Answers for one work, batched over one turn of the event loop.
struct answer_batch {
  work_ptr of;
  std::vector<std::uint32_t> accepted; ///< positions in work::targets
  std::vector<answer> others;
};

} // namespace signalbox
