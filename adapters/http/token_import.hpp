#pragma once

#include "actors/ports/directory.hpp"
#include "adapters/http/problem.hpp"
#include "adapters/http/responder.hpp"
#include "adapters/http/route.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

/// A refused registration. `line` is 0 where the body has no lines.
struct refused_registration {
  std::size_t line = 0; ///< from 1
  field_error error;
};

/// `{created, updated, refused, errors: [...], errors_omitted}`.
response import_answer(std::int64_t created, std::int64_t updated, std::int64_t refused,
                       const std::vector<refused_registration>& errors);

/// Registers the tokens of an NDJSON body of any size while it comes: one slice is with the store,
/// the next is being collected, and when that is full the client waits. A bad line is refused by
/// itself. Lives as long as the connection or the store needs it.
class token_import final : public body_sink, public std::enable_shared_from_this<token_import> {
public:
  token_import(user_directory& users, app_id app, responder to, body_flow flow);

  bool on_piece(std::string_view piece) override;
  void on_end() override;
  void on_abort() override;

private:
  // On the connection's thread:
  void take_text(std::string_view text);
  void take_line(std::string_view line);
  void refuse(field_error error);
  bool hand_over(bool last);

  // On any thread:
  void submit_next();
  void on_registered(const result<registration_result>& outcome);

  user_directory& users_;
  const app_id app_;
  const body_flow flow_;

  std::string partial_; ///< the start of a line
  bool skipping_ = false;
  std::size_t line_ = 1;
  std::vector<token_registration> read_;

  std::mutex mutex_; // for all below
  responder to_;
  std::vector<token_registration> waiting_;
  bool in_flight_ = false;
  bool paused_ = false;
  bool ended_ = false;
  bool over_ = false; ///< answered, or nobody is left to answer to
  std::int64_t created_ = 0;
  std::int64_t updated_ = 0;
  std::int64_t refused_ = 0;
  std::vector<refused_registration> errors_;
};

} // namespace signalbox::http
