#include "adapters/http/io_loop.hpp"

#include "adapters/http/connection.hpp"
#include "adapters/io/thread_error.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <pthread.h>
#include <utility>

namespace signalbox::http {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

constexpr auto thread_name = "http";

} // namespace

io_loop::io_loop(server_state& state)
  : state_(state), guard_(context_.get_executor()), sweep_timer_(context_),
    completions_(std::make_shared<completion_queue>(context_, [this] { turn([] {}); })),
    read_buffer_(64 * 1024 + state.options.max_header) {}

io_loop::~io_loop() {
  stop();
}

void io_loop::start() {
  thread_ = std::thread{[this] {
    pthread_setname_np(pthread_self(), thread_name);
    for (;;)
      try {
        return run();
      } catch (const std::exception& error) {
        log_thread_error(thread_name, error);
        completions_->end_turn();
      }
  }};
}

void io_loop::run() {
  while (context_.run_one() > 0) {
    context_.poll();
    state_.options.on_idle();
  }
}

void io_loop::stop() {
  if (thread_.joinable()) {
    asio::post(context_, [this] {
      auto all = std::exchange(connections_, {});
      for (auto& [id, one] : all)
        one->close();
      context_.stop();
    });
    thread_.join();
  }
  completions_->close();
}

void io_loop::drain() {
  asio::post(context_, [this] {
    turn([this] {
      for (auto& [id, one] : connections_)
        touch(one);
    });
  });
}

void io_loop::adopt(asio::ip::tcp::socket socket, bool refused) {
  asio::post(context_, [this, refused, socket = std::move(socket)]() mutable {
    turn([&] {
      auto id = ++last_id_;
      auto one = std::make_shared<connection>(*this, id, std::move(socket));
      connections_.emplace(id, one);
      if (refused)
        one->refuse();
      touch(std::move(one));
      arm_sweep();
    });
  });
}

std::string_view io_loop::http_date() {
  auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (date_.empty() || now != date_of_) {
    date_of_ = now;
    date_ = format_http_date(now);
  }
  return date_;
}

void io_loop::close_broken(connection& one, const std::exception& error) {
  log_thread_error(thread_name, error);
  one.close();
}

void io_loop::touch(std::shared_ptr<connection> one) {
  if (one->mark_touched())
    touched_.push_back(std::move(one));
}

void io_loop::forget(std::uint64_t id) {
  connections_.erase(id);
}

void io_loop::finish_turn() {
  std::vector<std::shared_ptr<connection>> pumped;
  for (;;) {
    completions_->take(batch_);
    for (auto& item : batch_)
      if (auto it = connections_.find(item.connection); it != connections_.end()) {
        it->second->complete(item.exchange, std::move(item.event));
        touch(it->second);
      }
    batch_.clear();
    if (touched_.empty())
      return shed_answers();
    pumped.swap(touched_);
    for (auto& one : pumped)
      serve(*one, [&] { one->pump(); });
    pumped.clear();
  }
}

bool io_loop::shed_body(const connection& asking) {
  const auto now = std::chrono::steady_clock::now();
  const auto cost = [now](const auto& a) { return a.second->body_cost(now); };
  const auto most =
    std::max_element(connections_.begin(), connections_.end(),
                     [&](const auto& a, const auto& b) { return cost(a) < cost(b); });
  if (most == connections_.end() || most->second.get() == &asking || cost(*most) == 0)
    return false;
  most->second->shed_body();
  touch(most->second);
  return true;
}

void io_loop::shed_answers() {
  while (unsent_ > state_.options.max_unsent_answers) {
    const auto key = [](const auto& a) {
      return std::pair{a.second->unsent() == 0, a.second->last_progress()};
    };
    const auto stalest =
      std::min_element(connections_.begin(), connections_.end(),
                       [&](const auto& a, const auto& b) { return key(a) < key(b); });
    if (stalest == connections_.end() || stalest->second->unsent() == 0)
      return;
    const auto one = stalest->second; // close() lets it go
    one->close();
  }
}

void io_loop::arm_sweep() {
  if (sweep_armed_ || connections_.empty())
    return;
  const auto& o = state_.options;
  auto shortest = std::min({o.header_timeout, o.body_timeout, o.idle_timeout, o.linger_timeout});
  sweep_armed_ = true;
  sweep_timer_.expires_after(std::clamp(shortest / 4, milliseconds{10}, milliseconds{1'000}));
  sweep_timer_.async_wait([this](boost::system::error_code ec) {
    sweep_armed_ = false;
    if (!ec)
      turn([this] { sweep(); });
  });
}

void io_loop::sweep() {
  auto now = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<connection>> all;
  all.reserve(connections_.size());
  for (auto& [id, one] : connections_)
    all.push_back(one);
  for (auto& one : all)
    one->check_deadlines(now);
  arm_sweep();
}

} // namespace signalbox::http
