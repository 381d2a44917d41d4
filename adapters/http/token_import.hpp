#pragma once

#include "actors/ports/directory.hpp"
#include "adapters/http/problem.hpp"
#include "adapters/http/refusal_list.hpp"
#include "adapters/http/responder.hpp"
#include "adapters/http/route.hpp"
#include "adapters/http/token_slices.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

/// How many imports may run at a time, so that what they hold together is bounded. Any thread.
class import_room {
public:
  /// A place, until it is let go; null when there is none.
  std::shared_ptr<void> take();

private:
  std::shared_ptr<std::atomic<int>> running_ = std::make_shared<std::atomic<int>>(0);
};

/// Registers the tokens of an NDJSON body of any size while it comes: one slice is with the store,
/// the next is being collected, and when that is full the client waits. A slice ends with 2,000
/// registrations or with the one that exceeds 1 MiB; with a line (256 KiB) and a piece (64 KiB) an
/// import holds less than 4 MiB. A bad line is refused by itself. Lives as long as the connection
/// or the store needs it.
class token_import final : public body_sink, public std::enable_shared_from_this<token_import> {
public:
  /// Without a `place` the import is refused: try again.
  token_import(user_directory& users, app_id app, std::shared_ptr<void> place, responder to,
               body_flow flow);

  bool on_piece(std::string_view piece) override;
  void on_end() override;
  void on_abort() override;

private:
  // On the connection's thread:
  void take_text(std::string_view text);
  void take_line(std::string_view line);
  void refuse(const field_error& error);
  bool hand_over(bool last);

  // On any thread:
  void submit_next();
  void on_registered(const result<registration_result>& outcome);

  user_directory& users_;
  const app_id app_;
  const std::shared_ptr<void> place_;
  const body_flow flow_;

  std::string partial_; ///< the start of a line
  bool skipping_ = false;
  std::size_t line_ = 1;
  std::vector<token_registration> read_;

  std::mutex mutex_; // for all below
  responder to_;
  token_slices waiting_;
  bool in_flight_ = false;
  bool paused_ = false;
  bool ended_ = false;
  bool over_ = false; ///< answered, or nobody is left to answer to
  std::int64_t created_ = 0;
  std::int64_t updated_ = 0;
  refusal_list refused_;
};

} // namespace signalbox::http
