#pragma once

#include "adapters/http/completion_queue.hpp"
#include "adapters/http/response.hpp"

#include <chrono>
#include <cstdint>
#include <memory>

namespace signalbox::http {

/// The right, and the duty, to answer one request. Move-only; usable from any thread, and outlives
/// the connection and the server (the answer is then dropped).
///
/// A responder that is destroyed unanswered answers 503 with `Retry-After: 1`. So whatever drops
/// the message that carries it (a full mailbox, an actor that crashed or has ended) thereby tells
/// the client to try again, and no client waits for an answer that nobody owes.
class responder {
public:
  /// Owes nothing.
  responder() = default;

  /// `hold` is kept until the answer: what the request takes of something that is shared.
  responder(std::shared_ptr<completion_queue> queue, std::uint64_t connection,
            std::uint64_t exchange, std::shared_ptr<void> hold = nullptr);
  responder(responder&&) noexcept = default;
  responder& operator=(responder&& other) noexcept;
  ~responder();

  /// Sends `reply`. The first answer counts, later ones are ignored.
  void answer(response reply);

  /// Has the connection answer `late` by itself when no answer has come after `limit`, give or take
  /// a sweep of its loop (at most 1 s).
  void limit(std::chrono::milliseconds limit, response late);

  /// Whether an answer is still owed.
  explicit operator bool() const { return queue_ != nullptr; }

private:
  void abandon() noexcept;

  std::shared_ptr<completion_queue> queue_;
  std::uint64_t connection_ = 0;
  std::uint64_t exchange_ = 0;
  std::shared_ptr<void> hold_;
};

} // namespace signalbox::http
