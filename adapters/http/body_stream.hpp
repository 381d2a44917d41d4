#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace signalbox::http {

/// The body of an answer that has no end yet: its connection takes from it what the client has
/// taken. Such an answer is the last one of its connection, which ends with it. All calls come on
/// the connection's thread. It is destroyed when the client is gone, the server stops, or after the
/// end.
class body_stream {
public:
  virtual ~body_stream() = default;

  /// The answer's turn has come. From then on `ready`, which any thread may call at any time, has
  /// `next` called soon.
  virtual void begin(std::function<void()> ready) = 0;

  /// Appends what comes next to `out`: nothing if there is nothing yet, and once `room` bytes were
  /// appended no further piece. False: that was the end.
  virtual bool next(std::size_t room, std::string& out) = 0;
};

} // namespace signalbox::http
