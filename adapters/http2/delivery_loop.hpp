#pragma once

#include "adapters/http2/delivery_pool.hpp"
#include "adapters/http2/pool_stats.hpp"
#include "messages/answer.hpp"
#include "messages/destination.hpp"
#include "messages/work.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace signalbox {

/// What a pool for one destination is made of.
struct pool_setup {
  pool_options options;
  delivery_pool::writer_factory new_writer;
};

struct delivery_loop_options {
  std::string thread_name; ///< at most 15 characters
  /// PEM bundle of trust anchors; empty: the system's.
  std::string ca_file;
  /// The capacity of a destination before its first connection.
  std::size_t default_capacity = 400;
  /// Asked on the I/O thread when targets for a new destination come in. Nothing: nobody knows it,
  /// and its targets are answered unsent with `unknown_destination`.
  std::function<std::optional<pool_setup>(const destination&)> setup;
  std::string unknown_destination = "no_credentials";
};

/// The I/O thread of a provider transport with a delivery_pool for each destination. Carries out
/// what actors/ports/provider_transport.hpp promises: every function may be called from any thread
/// and returns at once.
class delivery_loop {
public:
  /// Throws std::runtime_error, naming the file, when the trust anchors cannot be read.
  explicit delivery_loop(delivery_loop_options options);
  /// Closes everything at once; nothing is answered any more when it returns. May run on the I/O
  /// thread itself.
  ~delivery_loop();

  delivery_loop(const delivery_loop&) = delete;
  delivery_loop& operator=(const delivery_loop&) = delete;

  void on_answers(std::function<void(std::vector<answer_batch>)> sink);
  void submit(work_ptr of, std::uint32_t first, std::uint32_t count);
  void withdraw(work_ptr of);
  std::size_t stream_capacity(const destination& dest) const;
  void stop(std::function<void()> done);

  /// Asks `setup` again for the pools of an app: new connections take over, with what it says now;
  /// what is under way ends on the old ones. Without an answer from it, what waits is unsent.
  void reconfigure(app_id app);

  const pool_stats& stats() const;

private:
  class core;
  std::shared_ptr<core> core_;
};

} // namespace signalbox
