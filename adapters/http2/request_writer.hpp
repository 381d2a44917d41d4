#pragma once

#include "adapters/http2/client_session.hpp"
#include "adapters/http2/work_queue.hpp"
#include "messages/answer.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace signalbox {

/// Writes the requests of one connection, as the provider wants them; one object a connection,
/// since what HPACK may index depends on what the connection has seen.
class request_writer {
public:
  virtual ~request_writer() = default;

  /// Called before a run of `write` calls. Empty, or why nothing can be sent now (no credentials);
  /// then the targets go on waiting.
  virtual std::string prepare() = 0;

  /// The request for one target, valid until the next call; what it flags as NO_COPY, and the body,
  /// until the target is answered (keep it in `of.rendered`). Null if the job can never be sent,
  /// with `failure` set to an answer that says why.
  virtual const http2_request* write(work_queue::active_work& of, std::uint32_t position,
                                     answer& failure) = 0;

  /// What a response other than 200 says; its position is not set. `note` is the request's.
  virtual answer read(const http2_response& response, std::uint32_t note) = 0;

  /// Whether the connection should take no more requests after this answer. May also start what the
  /// answer asks for, such as new credentials.
  virtual bool retires_connection(const answer& last) = 0;
};

} // namespace signalbox
