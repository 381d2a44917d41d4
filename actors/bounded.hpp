#pragma once

#include <caf/detail/scope_guard.hpp>
#include <caf/error.hpp>
#include <caf/invoke_message_result.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/system_messages.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace signalbox {

/// What is known of one mailbox; every member may be read from any thread.
struct mailbox_stats {
  std::atomic<std::int64_t> capacity{INT64_MAX};
  std::atomic<std::int64_t> depth{0}; ///< queued, plus what its actor has taken in and still holds
  std::atomic<std::int64_t> high_water{0};
  std::atomic<std::uint64_t> processed{0};
  std::atomic<std::uint64_t> refused{0};

  /// Takes places: always when `forced`, else if all of them are free.
  bool try_enter(bool forced = false, std::int64_t places = 1) {
    const auto now = depth.fetch_add(places, std::memory_order_relaxed) + places;
    if (!forced && now > capacity.load(std::memory_order_relaxed)) {
      depth.fetch_sub(places, std::memory_order_relaxed);
      refused.fetch_add(static_cast<std::uint64_t>(places), std::memory_order_relaxed);
      return false;
    }
    auto high = high_water.load(std::memory_order_relaxed);
    while (now > high && !high_water.compare_exchange_weak(high, now, std::memory_order_relaxed)) {
    }
    return true;
  }

  void leave(std::int64_t count = 1) {
    depth.fetch_sub(count, std::memory_order_relaxed);
    processed.fetch_add(static_cast<std::uint64_t>(count), std::memory_order_relaxed);
  }
};

/// Gives a CAF actor class a bounded mailbox, which CAF 0.17 does not have. A message that finds it
/// full is dropped; a request is answered with sec::unavailable_or_would_block. Exempt:
/// high-priority messages, responses, and the system's own (exit, down, timeout, error). Timers
/// must therefore be sent at high priority.
template <class Base>
class bounded : public Base {
public:
  template <class... Ts>
  explicit bounded(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> stats, Ts&&... xs)
    : Base(cfg, std::forward<Ts>(xs)...), stats_(std::move(stats)) {}

  using Base::enqueue;
  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* unit) override {
    if (!counted(*element) ||
        stats_->try_enter(element->mid.is_urgent_message(), places_of(*element))) {
      Base::enqueue(std::move(element), unit);
      return;
    }
    if (element->mid.is_request() && element->sender)
      element->sender->enqueue(
        nullptr, element->mid.response_id(),
        caf::make_message(caf::make_error(caf::sec::unavailable_or_would_block)), unit);
  }

  using Base::consume;
  caf::invoke_message_result consume(caf::mailbox_element& element) override {
    // Judged before the handler runs: it may move the content out or mark the id as answered.
    const auto places = counted(element) ? places_of(element) : 0;
    auto guard = caf::detail::make_scope_guard([&] {
      if (places > 0)
        stats_->leave(places);
    });
    const auto result = Base::consume(element);
    if (result == caf::invoke_message_result::skipped)
      guard.disable();
    return result;
  }

protected:
  /// How many places a message takes. Called by any thread that sends one.
  virtual std::int64_t places_of(const caf::mailbox_element&) const { return 1; }

  /// Keeps `count` places taken beyond the handler: the actor holds what came with them.
  void hold(std::int64_t count) { stats_->depth.fetch_add(count, std::memory_order_relaxed); }

  void let_go(std::int64_t count) { stats_->depth.fetch_sub(count, std::memory_order_relaxed); }

private:
  static bool counted(const caf::mailbox_element& element) {
    if (element.mid.is_response())
      return false;
    switch (element.content().type_token()) {
    case caf::make_type_token<caf::exit_msg>():
    case caf::make_type_token<caf::down_msg>():
    case caf::make_type_token<caf::timeout_msg>():
    case caf::make_type_token<caf::error>():
      return false;
    default:
      return true;
    }
  }

  std::shared_ptr<mailbox_stats> stats_;
};

/// Sends what credit bounds: counted by the receiver's mailbox, never refused by it, first in first
/// out.
template <class Self, class Handle, class Message>
void send_urgent(Self* self, const Handle& to, Message message) {
  if (to)
    self->template send<caf::message_priority::high>(to, std::move(message));
}

/// The same from a thread that is no actor's.
template <class Handle, class Message>
void anon_send_urgent(const Handle& to, Message message) {
  caf::anon_send<caf::message_priority::high>(to, std::move(message));
}

} // namespace signalbox
