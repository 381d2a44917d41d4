#include "adapters/http/token_import.hpp"

#include "adapters/http/json_reader.hpp"
#include "adapters/http/json_writer.hpp"
#include "adapters/http/route_support.hpp"
#include "adapters/http/token_body.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace signalbox::http {

namespace {

constexpr std::size_t slice = 2'000;         // registrations
constexpr std::size_t max_line = 256 * 1024; // bytes
constexpr std::size_t max_listed_errors = 1'000;

} // namespace

response import_answer(std::int64_t created, std::int64_t updated, std::int64_t refused,
                       const std::vector<refused_registration>& errors) {
  std::string list = "[";
  for (const auto& one : errors) {
    if (&one != &errors.front())
      list += ',';
    json_writer out;
    out.add("pointer", one.error.pointer);
    if (one.line > 0)
      out.add("line", static_cast<std::int64_t>(one.line));
    list += out.add("detail", one.error.detail).take();
  }
  return {.body = json_writer{}
                    .add("created", created)
                    .add("updated", updated)
                    .add("refused", refused)
                    .add_json("errors", list + ']')
                    .add("errors_omitted", refused - static_cast<std::int64_t>(errors.size()))
                    .take()};
}

token_import::token_import(user_directory& users, app_id app, responder to, body_flow flow)
  : users_(users), app_(app), flow_(std::move(flow)), to_(std::move(to)) {}

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
    refuse(std::move(wrong.front()));
}

void token_import::refuse(field_error error) {
  std::lock_guard guard{mutex_};
  ++refused_;
  if (errors_.size() < max_listed_errors)
    errors_.push_back({line_, std::move(error)});
}

bool token_import::hand_over(bool last) {
  {
    std::lock_guard guard{mutex_};
    if (!over_)
      std::move(read_.begin(), read_.end(), std::back_inserter(waiting_));
    ended_ = last;
    paused_ = in_flight_ && waiting_.size() >= slice;
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
      return to_.answer(import_answer(created_, updated_, refused_, errors_));
    }
    if (waiting_.empty() || (waiting_.size() < slice && !ended_))
      return;
    auto count = std::min(waiting_.size(), slice);
    auto split = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    next.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(split));
    waiting_.erase(waiting_.begin(), split);
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
  if (paused_ && waiting_.size() < slice) {
    paused_ = false;
    flow_.resume();
  }
}

} // namespace signalbox::http
