#pragma once

#include "messages/protocol.hpp"
#include "tests/support/fake_clock.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

namespace signalbox {

/// What a probe received, by type and in order.
template <class... Messages>
struct inbox {
  std::tuple<std::vector<Messages>...> received;

  template <class Message>
  std::vector<Message>& all() {
    return std::get<std::vector<Message>>(received);
  }
  template <class Message>
  std::vector<Message> take() {
    return std::exchange(all<Message>(), {});
  }
};

/// Actors on CAF's test coordinator: they run on this thread, when told to, in virtual time.
class caf_fixture : public ::testing::Test {
protected:
  caf_fixture();

  ~caf_fixture() override { stop_actors(); }

  // While the fakes of the test are still there.
  void TearDown() override { stop_actors(); }

  /// Until no actor has anything left to do. Fails the test when that never comes.
  void run() {
    constexpr std::size_t most = 1'000'000;
    ASSERT_LT(scheduler_.run(most), most) << "actors keep each other busy";
  }

  /// Moves time on, both the actors' timers and the clock they read.
  void advance(std::chrono::milliseconds by) {
    clock.advance(by);
    scheduler_.advance_time(by);
    run();
  }

  /// Starts an actor; it is killed at the end of the test.
  template <class Actor, class... Ts>
  auto start(Ts&&... args) {
    const auto handle = system.spawn<Actor>(std::forward<Ts>(args)...);
    spawned_.push_back(caf::actor_cast<caf::weak_actor_ptr>(handle));
    return handle;
  }

  /// An actor made of a function. Its arguments are never none: CAF would then dereference a null
  /// pointer, which sanitizers stop.
  template <class Fun, class... Ts>
  caf::actor start_function(Fun function, Ts... args) {
    static_assert(sizeof...(Ts) > 0);
    const auto actor = system.spawn(std::move(function), std::move(args)...);
    spawned_.push_back(caf::actor_cast<caf::weak_actor_ptr>(actor));
    return actor;
  }

  /// An actor that stands in for another one and keeps what it gets, other messages aside.
  template <class Handle, class... Messages>
  Handle probe(std::shared_ptr<inbox<Messages...>> into) {
    using box = std::shared_ptr<inbox<Messages...>>;
    return caf::actor_cast<Handle>(start_function(
      [](caf::event_based_actor* self, const box& into) -> caf::behavior {
        self->set_default_handler(caf::drop);
        return {[into](const Messages& message) {
          into->template all<Messages>().push_back(message);
        }...};
      },
      std::move(into)));
  }

  /// Kills an actor as a crash would: what it has not come to in its mailbox is lost.
  template <class Handle>
  void crash(const Handle& handle) {
    const auto victim = caf::actor_cast<caf::strong_actor_ptr>(handle);
    victim->enqueue(nullptr, caf::make_message_id(caf::message_priority::high),
                    caf::make_message(caf::exit_msg{victim->address(), caf::exit_reason::kill}),
                    nullptr);
  }

  template <class Handle>
  static bool is_alive(const Handle& handle) {
    return !caf::actor_cast<caf::abstract_actor*>(handle)->getf(
      caf::abstract_actor::is_terminated_flag);
  }

  /// Sends a request, drain above all; true once it is answered.
  template <class Handle, class Request = drain>
  std::shared_ptr<bool> ask_drain(const Handle& handle, Request request = {}) {
    auto answered = std::make_shared<bool>(false);
    start_function(
      [request](caf::event_based_actor* self, const std::shared_ptr<bool>& answered,
                const Handle& handle) -> caf::behavior {
        self->request<caf::message_priority::high>(handle, caf::infinite, request)
          .then([answered](const drained&) { *answered = true; });
        return {};
      },
      answered, handle);
    run();
    return answered;
  }

  fake_clock clock;

private:
  struct config : caf::actor_system_config {
    config();
  };

  // What still runs would keep the system from ending.
  void stop_actors() {
    for (auto& each : spawned_)
      if (const auto actor = each.lock())
        caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::kill);
    run();
  }

  config config_;
  std::vector<caf::weak_actor_ptr> spawned_;

protected:
  caf::actor_system system{config_};
  caf::scheduler::test_coordinator& scheduler_ =
    dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
};

} // namespace signalbox
