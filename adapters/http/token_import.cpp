#include "adapters/http/token_import.hpp"

#include "adapters/http/json_reader.hpp"
#include "adapters/http/route_support.hpp"
#include "adapters/http/token_body.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::http {

namespace {

constexpr std::size_t max_line = 256 * 1024; // bytes
constexpr int max_imports = 16;

} // namespace

std::shared_ptr<void> import_room::take() {
  std::shared_ptr<void> place{running_.get(), [running = running_](void*) { --*running; }};
  return ++*running_ <= max_imports ? place : nullptr;
}

token_import::token_import(user_directory& users, app_id app, std::shared_ptr<void> place,
                           responder to, body_flow flow)
  : users_(users), app_(app), place_(std::move(place)), flow_(std::move(flow)), to_(std::move(to)) {
  if (place_)
    return;
  over_ = true;
  to_.answer(unavailable("As many imports run as the node takes at a time; try again."));
}

bool token_import::on_piece(std::string_view piece) {
  take_text(piece);
  return hand_over(false);
}

void token_import::on_end() {
  if (!partial_.empty() || skipping_)
    take_text("\n");
  hand_over(true);
}

void token_import::on_abort() {
  std::lock_guard guard{mutex_};
  over_ = true;
  waiting_.clear();
}

void token_import::take_text(std::string_view text) {
  while (!text.empty()) {
    auto end = text.find('\n');
    auto part = text.substr(0, end);
    if (!skipping_ && partial_.size() + part.size() > max_line) {
      refuse({"", "is longer than 256 KiB"});
      skipping_ = true;
      partial_ = {};
    }
    if (end == text.npos) {
      if (!skipping_)
        partial_ += part;
      return;
    }
    if (std::exchange(skipping_, false)) {
      // the rest of a line that has been refused
    } else if (partial_.empty()) {
      take_line(part);
    } else {
      partial_ += part;
      take_line(partial_);
      partial_.clear();
    }
    ++line_;
    text.remove_prefix(end + 1);
  }
}

void token_import::take_line(std::string_view line) {
  line = without_byte_order_mark(line);
  if (line.find_first_not_of(" \t\r") == line.npos)
    return;
  json_document document{line};
  if (!document.problem().empty())
    return refuse({"", document.problem()});
  field_errors wrong;
  json_reader in{wrong};
  auto read = read_registration(document.root(), {}, in, registration_form::with_topics);
  if (read && wrong.empty())
    read_.push_back(std::move(*read));
  else
    refuse(wrong.front());
}

void token_import::refuse(const field_error& error) {
  std::lock_guard guard{mutex_};
  refused_.add(line_, error);
}

bool token_import::hand_over(bool last) {
  {
    std::lock_guard guard{mutex_};
    if (!over_)
      for (auto& one : read_)
        waiting_.add(std::move(one));
    ended_ = last;
    paused_ = in_flight_ && waiting_.has_full();
  }
  read_.clear();
  submit_next();
  std::lock_guard guard{mutex_};
  return !paused_;
}

void token_import::submit_next() {
  std::vector<token_registration> next;
  {
    std::lock_guard guard{mutex_};
    if (over_ || in_flight_)
      return;
    if (waiting_.empty() && ended_) {
      over_ = true;
      return to_.answer(refused_.answer(created_, updated_));
    }
    if (waiting_.empty() || (!waiting_.has_full() && !ended_))
      return;
    next = waiting_.take();
    in_flight_ = true;
  }
  users_.register_tokens(app_, std::move(next),
                         [self = shared_from_this()](const result<registration_result>& outcome) {
                           self->on_registered(outcome);
                         });
}

void token_import::on_registered(const result<registration_result>& outcome) {
  {
    std::lock_guard guard{mutex_};
    in_flight_ = false;
    if (!outcome.ok() && !over_) {
      over_ = true;
      waiting_.clear();
      return to_.answer(failed(outcome.code, outcome.message));
    }
    auto created = std::count(outcome.value.created.begin(), outcome.value.created.end(), true);
    created_ += created;
    updated_ += static_cast<std::int64_t>(outcome.value.created.size()) - created;
  }
  submit_next();
  std::lock_guard guard{mutex_};
  if (paused_ && !waiting_.has_full()) {
    paused_ = false;
    flow_.resume();
  }
}

} // namespace signalbox::http
