#include "tests/support/lane_world.hpp"

#include <stdexcept>
#include <utility>

namespace signalbox {

using namespace std::chrono_literals;

lane_options lane_world::small_lane(const std::string& name) {
  lane_options lane;
  lane.name = name;
  lane.masters = 2;
  lane.senders = 2;
  lane.window = 20;
  lane.chunk_size = 10;
  lane.claim_chunks = 4;
  lane.flush_size = 25;
  lane.retries = {5, 100ms, 2s};
  lane.restarts = {100ms, 1s, 1'000, 60s};
  lane.seed = [next = std::uint64_t{1}]() mutable { return next++; };
  provider_options provider;
  provider.provider = platform::apns;
  provider.make_transport = [this]() -> std::shared_ptr<provider_transport> {
    transports.push_back(std::make_shared<fake_transport>());
    return transports.back();
  };
  provider.classify = [this](const answer& of) {
    if (std::exchange(throw_in_classify, false))
      throw std::runtime_error("the classifier was told to throw");
    return simple_verdict(of);
  };
  lane.providers.push_back(std::move(provider));
  return lane;
}

void lane_world::add_topic(const std::string& name, std::size_t count) {
  std::vector<ledger_target> members;
  for (std::size_t i = 0; i < count; ++i)
    members.push_back({++last_token_, i % 3 == 0 ? apns_sandbox : apns_production});
  store.ledger.add_topic(name, std::move(members));
}

job_id lane_world::add_job(std::uint64_t n, const std::string& topic, const std::string& lane) {
  auto job = topic_job(n, topic, clock.now(), lane);
  store.ledger.commit({job, false}, 15s);
  return job.id;
}

fake_transport::script lane_world::counting() {
  return [this](const fake_transport::request& asked) {
    auto ended = script ? script(asked) : std::nullopt;
    if (!ended)
      ++accepts[{asked.of->key.job, asked.to().id}];
    return ended;
  };
}

void lane_world::answer_all() {
  for (std::size_t i = 0; i < transports.size(); ++i)
    transports[i]->answer_all(counting());
  run();
}

bool lane_world::is_finished(const job_id& job) const {
  return store.ledger.knows(job) && store.ledger.account_of(job).closed() &&
         store.ledger.account_of(job).status >= job_status::completed;
}

void lane_world::finish(const job_id& job, std::chrono::milliseconds most) {
  run();
  for (auto passed = 0ms; passed < most && !is_finished(job); passed += 20ms) {
    answer_all();
    advance(20ms);
  }
  const auto account = store.ledger.account_of(job);
  EXPECT_TRUE(is_finished(job)) << to_string(account.status) << ", pending " << account.pending()
                                << ", leased " << store.ledger.leased() << breaker_states();
}

std::string lane_world::breaker_states() const {
  std::string text;
  for (const auto& view : breakers.list())
    text += ", " + view.place.lane + " " + std::string{to_string(view.place.dest.env)} + " " +
            std::string{to_string(view.place.kind)} + " " + std::string{to_string(view.state)};
  return text;
}

std::size_t lane_world::duplicates() const {
  std::size_t sum = 0;
  for (const auto& [target, times] : accepts)
    sum += times - 1;
  return sum;
}

std::size_t lane_world::dead_transports() const {
  std::size_t sum = 0;
  for (const auto& each : transports)
    sum += each->stopped;
  return sum;
}

} // namespace signalbox
