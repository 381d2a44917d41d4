#pragma once

#include "actors/ports/provider_transport.hpp"
#include "adapters/http2/delivery_pool.hpp"
#include "adapters/http2/pool_stats.hpp"
#include "messages/answer.hpp"
#include "messages/destination.hpp"
#include "messages/work.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
  /// Asked on the I/O thread when targets for a new destination come in. Nothing: nobody knows it,
  /// and its targets are answered unsent with `unknown_destination`.
  std::function<std::optional<pool_setup>(const destination&)> setup;
  std::string_view unknown_destination = "no_credentials"; ///< a literal
};

/// What the providers' transports have in common: the I/O thread, and a delivery_pool for each
/// destination.
class delivery_loop : public provider_transport {
public:
  /// Throws std::runtime_error, naming the file, when the trust anchors cannot be read.
  explicit delivery_loop(delivery_loop_options options);
  /// Closes everything at once; nothing is answered any more when it returns. Without a `stop`
  /// before, what is under way is never answered. May run on the I/O thread itself.
  ~delivery_loop() override;

  delivery_loop(const delivery_loop&) = delete;
  delivery_loop& operator=(const delivery_loop&) = delete;

  void on_answers(std::function<void(std::vector<answer_batch>)> sink) override;
  void submit(work_ptr of, std::uint32_t first, std::uint32_t count) override;
  void withdraw(work_ptr of) override;
  /// `done` is called on the I/O thread, for every call. What is submitted after the stop is
  /// answered unsent until `done`, and dropped from then on.
  void stop(std::function<void()> done) override;

  /// Readable from any thread.
  const pool_stats& stats() const;

protected:
  /// Asks `setup` again for the pools of an app: new connections take over, with what it says now;
  /// what is under way ends on the old ones. Without an answer from it, what waits is unsent.
  void reconfigure(app_id app);

private:
  class core;
  std::shared_ptr<core> core_;
};

} // namespace signalbox
