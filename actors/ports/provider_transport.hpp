#pragma once

#include "messages/answer.hpp"

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace signalbox {

/// Why a target that was withdrawn was not sent.
inline constexpr std::string_view withdrawn = "withdrawn";

/// A provider's connections for one sender instance, for every (app, environment) it is asked to
/// send to. It owns its I/O thread; every function may be called from any thread and returns at
/// once.
class provider_transport {
public:
  virtual ~provider_transport() = default;

  /// Where answers go, on the I/O thread. Set once, before the first submit.
  virtual void on_answers(std::function<void(std::vector<answer_batch>)> sink) = 0;

  /// Sends `of->targets[first, first + count)`: each gets exactly one answer. What cannot be sent
  /// at once waits inside for a free stream; the caller bounds how much that can be by its window.
  virtual void submit(work_ptr of, std::uint32_t first, std::uint32_t count) = 0;

  /// Answers what of the work still waits for a stream as unsent, with the reason `withdrawn`. What
  /// has left ends as usual.
  virtual void withdraw(work_ptr of) = 0;

  /// Answers what was never written as unsent, and closes the connections once what is under way is
  /// answered or its timeout passes. No sink call comes after `done`.
  virtual void stop(std::function<void()> done) = 0;
};

} // namespace signalbox
