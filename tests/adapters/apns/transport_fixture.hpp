#pragma once

#include "adapters/apns/provider_token_keeper.hpp"
#include "adapters/apns/transport.hpp"
#include "adapters/simulator/simulator.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace signalbox {

/// Everything that a transport answered, checked for exactly one answer a target.
class answer_log {
public:
  void take(const std::vector<answer_batch>& batches) {
    std::lock_guard lock{mutex_};
    ++deliveries_;
    for (const auto& batch : batches) {
      for (const auto position : batch.accepted)
        record(batch.of, position, "accepted");
      for (const auto& other : batch.others) {
        record(batch.of, other.position, text_of(other));
        others_.push_back(other);
      }
    }
    changed_.notify_all();
  }

  /// Waits until that many targets are answered, and a little longer than needed never hurts: a
  /// second answer for a target would be counted in `doubles`.
  bool wait_for(std::size_t count, std::chrono::seconds limit = std::chrono::seconds{120}) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit, [&] { return total_ >= count; });
  }

  std::size_t total() const {
    std::lock_guard lock{mutex_};
    return total_;
  }
  std::size_t doubles() const {
    std::lock_guard lock{mutex_};
    return doubles_;
  }
  std::size_t deliveries() const {
    std::lock_guard lock{mutex_};
    return deliveries_;
  }
  std::size_t count(const std::string& text) const {
    std::lock_guard lock{mutex_};
    const auto at = by_text_.find(text);
    return at == by_text_.end() ? 0 : at->second;
  }
  /// Answers of a kind, whatever their text.
  std::size_t count(answer_kind kind) const {
    std::lock_guard lock{mutex_};
    std::size_t count = 0;
    for (const auto& other : others_)
      count += other.kind == kind ? 1 : 0;
    return count;
  }
  std::vector<answer> others() const {
    std::lock_guard lock{mutex_};
    return others_;
  }
  std::map<std::string, std::size_t> by_text() const {
    std::lock_guard lock{mutex_};
    return by_text_;
  }

private:
  static std::string text_of(const answer& other) {
    if (other.kind == answer_kind::answered)
      return std::to_string(other.status) + " " + other.reason;
    return (other.kind == answer_kind::unsent ? "unsent " : "unknown ") + other.reason;
  }

  void record(const work_ptr& of, std::uint32_t position, const std::string& text) {
    ++total_;
    ++by_text_[text];
    if (++seen_[{of, position}] > 1)
      ++doubles_;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t total_ = 0;
  std::size_t doubles_ = 0;
  std::size_t deliveries_ = 0;
  std::map<std::pair<work_ptr, std::uint32_t>, std::size_t> seen_;
  std::map<std::string, std::size_t> by_text_;
  std::vector<answer> others_;
};

inline std::string hex_token(std::uint64_t number) {
  char text[65];
  std::snprintf(text, sizeof text, "%064llx", static_cast<unsigned long long>(number));
  return text;
}

/// A work of `count` targets with token ids from `first_id` on.
inline work_ptr make_work(std::uint32_t count, token_id first_id = 1, app_id app = default_app,
                          std::string payload = R"({"title":"Hi","body":"There"})") {
  static std::atomic<std::uint32_t> seq{0};
  auto job = std::make_shared<job_context>();
  job->created_at = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  job->id = make_uuid_v7(job->created_at);
  job->app = app;
  job->payload = std::move(payload);
  auto made = std::make_shared<work>();
  made->key = {job->id, seq++};
  made->dest = {app, platform::apns, environment::production};
  made->job = std::move(job);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto token = hex_token(static_cast<std::uint64_t>(first_id) + i);
    made->targets.push_back({first_id + i, i, static_cast<std::uint32_t>(made->text.size()),
                             static_cast<std::uint16_t>(token.size()), 0});
    made->text += token;
  }
  return made;
}

/// The same work, of a dispatch of the activity "order-1"; `options` is new_job::payload.
inline work_ptr about_activity(const work_ptr& of, activity_action action, std::string channel = {},
                               std::string options = "{}") {
  auto job = std::make_shared<job_context>(*of->job);
  job->payload = std::move(options);
  job->activity = activity_event{.action = action,
                                 .activity = "order-1",
                                 .type = "order",
                                 .seq = 2,
                                 .timestamp_s = 1'700'000'000,
                                 .content_state = R"({"seq":7})",
                                 .channel = std::move(channel)};
  auto made = std::make_shared<work>(*of);
  made->job = std::move(job);
  return made;
}

/// A simulator and transports that send to it. Timeouts are longer than any machine stands still;
/// a test in which one has to pass makes it short.
class transport_fixture : public testing::Test {
protected:
  /// For a timeout that has to pass in a test, and that others must not meet though the machine
  /// stands still for seconds.
  static constexpr std::chrono::milliseconds patience{6'000};

  transport_fixture() : simulator_{sim::simulator_options{}} { simulator_.start(); }

  apns_transport_options options() {
    apns_transport_options options;
    options.production = {"127.0.0.1", std::to_string(simulator_.apns_port())};
    options.sandbox = options.production;
    options.ca_file = simulator_.tls().ca.string();
    options.request_timeout = std::chrono::seconds{60};
    options.connect_timeout = std::chrono::seconds{60};
    options.ping_timeout = std::chrono::seconds{60};
    options.reconnect = {std::chrono::milliseconds{5}, std::chrono::milliseconds{100}};
    return options;
  }

  std::shared_ptr<provider_token> token() {
    return keeper_.token_for(
      {std::string{sim::apns_team_id}, std::string{sim::apns_key_id}, simulator_.tls().apns_key},
      environment::production);
  }

  apns_app app() { return {"com.example.app", token(), token()}; }

  /// Requests time out after a while.
  apns_transport_options patient_options() {
    auto patient = options();
    patient.request_timeout = patience;
    return patient;
  }

  /// A peer that is silent is soon asked whether it is there.
  apns_transport_options pinging_options() {
    auto pinging = patient_options();
    pinging.ping_interval = std::chrono::milliseconds{100};
    pinging.ping_timeout = patience;
    return pinging;
  }

  void start(apns_transport_options options) {
    transport_ = std::make_unique<apns_transport>(std::move(options));
    transport_->set_app(default_app, app());
    transport_->on_answers([this](std::vector<answer_batch> batches) { log_.take(batches); });
  }

  void submit_all(const work_ptr& of) {
    transport_->submit(of, 0, static_cast<std::uint32_t>(of->targets.size()));
  }

  void faults(const std::string& apns) {
    const auto error =
      simulator_.set_faults(boost::json::parse(R"({"apns":)" + apns + "}").as_object());
    ASSERT_FALSE(error) << error->member << ": " << error->detail;
  }

  void stop_and_wait() {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    transport_->stop([&] {
      std::lock_guard lock{mutex};
      done = true;
      changed.notify_all();
    });
    std::unique_lock lock{mutex};
    ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds{60}, [&] { return done; }));
  }

  template <class Condition>
  bool eventually(Condition holds) {
    for (int i = 0; i < 6'000 && !holds(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    return holds();
  }

  sim::simulator simulator_;
  provider_token_keeper keeper_;
  answer_log log_;
  std::unique_ptr<apns_transport> transport_;
};

} // namespace signalbox
