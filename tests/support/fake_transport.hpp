#pragma once

#include "actors/ports/provider_transport.hpp"
#include "actors/verdict.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

namespace signalbox {

/// A provider in memory: keeps what is submitted until it is told how to answer, or answers at once
/// by a script. Not thread-safe: for actors on the test coordinator.
class fake_transport : public provider_transport {
public:
  struct submission {
    work_ptr of;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  struct request {
    work_ptr of;
    std::uint32_t position = 0;
    const target& to() const { return of->targets[position]; }
  };
  /// How a request ends; nothing: it is accepted.
  using script = std::function<std::optional<signalbox::answer>(const request&)>;

  void on_answers(std::function<void(std::vector<answer_batch>)> sink) override;
  void submit(work_ptr of, std::uint32_t first, std::uint32_t count) override;
  void withdraw(work_ptr of) override;
  void stop(std::function<void()> done) override;

  /// Answers the `count` oldest requests, by the script.
  void answer_next(std::size_t count, const script& how = {});
  void answer_all(const script& how = {}) { answer_next(open.size(), how); }
  void throw_next_submit(bool value = true) { throwing_ = value; }

  std::vector<submission> submissions;
  std::deque<request> open;    ///< submitted and not answered
  std::size_t streams = 1'000; ///< so many of them have left, the others wait
  bool stopped = false;

private:
  void finish_stop();

  std::function<void(std::vector<answer_batch>)> sink_;
  std::function<void()> stop_done_;
  bool throwing_ = false;
};

/// An answer with this HTTP status; position and the rest are the transport's to fill in.
answer status_answer(std::uint16_t status, std::string reason = {});
answer unknown_answer();
answer unsent_answer();
answer no_connection_answer();

/// What the tests' provider means: 429 is transient, 5xx and no answer are an outage, 403 refuses
/// the credentials, 410 names the token as unregistered,
/// 400 as bad, the rest is permanent.
verdict simple_verdict(const answer& of);

} // namespace signalbox
