#pragma once

#include "actors/sender.hpp"
#include "tests/support/builders.hpp"
#include "tests/support/caf_fixture.hpp"
#include "tests/support/fake_store.hpp"
#include "tests/support/fake_transport.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace signalbox {

using target_key = std::pair<const work*, std::uint32_t>; ///< a work and an index in its chunk

/// A sender with a provider in memory, and stand-ins for all it talks to.
class sender_stage : public caf_fixture {
protected:
  using batcher_inbox = inbox<report_outcomes>;
  using master_inbox = inbox<works_finished, works_returned>;
  using credit_inbox = inbox<credit_return, credit_used, destination_report>;

  void SetUp() override {
    peers.lane = "push";
    peers.masters = {probe<master>(finished), probe<master>(finished_by_second)};
    peers.outcomes = probe<outcome_batcher>(reports);
    peers.room = probe<credit>(returns);
  }

  void start_sender(std::size_t window) {
    sender_options options;
    options.lane = "push";
    options.index = 3;
    options.window = window;
    options.classify = simple_verdict;
    options.seed = 1;
    transport = std::make_shared<fake_transport>();
    under_test = start<sender_actor>(std::make_shared<mailbox_stats>(), std::ref<job_store>(store),
                                     transport, std::cref<wall_clock>(clock), options);
    publish();
  }

  void publish() {
    anon_send_urgent(under_test, peers_changed{std::make_shared<lane_peers>(peers)});
    run();
  }

  template <class Message>
  void tell(Message message) {
    anon_send_urgent(under_test, std::move(message));
    run();
  }

  void assign(std::vector<work_ptr> works, std::size_t by = 0) {
    tell(assign_works{by, std::move(works)});
  }

  void answer(std::size_t count, const fake_transport::script& how = {}) {
    transport->answer_next(count, how);
    run();
  }

  std::uint64_t last_report() const {
    const auto& all = reports->all<report_outcomes>();
    return all.empty() ? 0 : all.back().number;
  }

  void commit(std::uint64_t number) { tell(reports_committed{number}); }
  void commit_all() { commit(last_report()); }

  std::size_t submitted() const {
    std::size_t sum = 0;
    for (const auto& each : transport->submissions)
      sum += each.count;
    return sum;
  }

  std::size_t submitted_of(const work_ptr& of) const {
    std::size_t sum = 0;
    for (const auto& each : transport->submissions)
      sum += each.of == of ? each.count : 0;
    return sum;
  }

  // Outcomes as reported, each target's once: the batcher may be told again.
  std::map<target_key, outcome_status> outcomes() const {
    std::map<target_key, outcome_status> all;
    for (const auto& report : reports->all<report_outcomes>())
      for (const auto& batch : report.batches) {
        for (const auto position : batch.accepted)
          all[{batch.of.get(), batch.of->targets[position].index}] = outcome_status::accepted;
        for (const auto& one : batch.others)
          all[{batch.of.get(), one.index}] = one.status;
      }
    return all;
  }

  std::size_t count(outcome_status status) const {
    const auto all = outcomes();
    return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const auto& one) { return one.second == status; }));
  }

  std::int64_t credit_returned(const destination& dest = apns_production) const {
    std::int64_t sum = 0;
    for (const auto& message : returns->all<credit_return>())
      for (const auto& share : message.shares) {
        EXPECT_EQ(share.sender, 3u);
        sum += share.dest == dest ? share.targets : 0;
      }
    return sum;
  }

  std::vector<work_ptr> finished_works() const {
    std::vector<work_ptr> all;
    for (const auto& message : finished->all<works_finished>())
      all.insert(all.end(), message.works.begin(), message.works.end());
    return all;
  }

  std::vector<work_ptr> returned_works() const {
    std::vector<work_ptr> all;
    for (const auto& message : finished->all<works_returned>())
      all.insert(all.end(), message.works.begin(), message.works.end());
    return all;
  }

  std::vector<destination_report> news() { return returns->take<destination_report>(); }

  lane_peers peers;
  fake_store store{clock};
  std::shared_ptr<fake_transport> transport;
  signalbox::sender under_test;
  std::shared_ptr<batcher_inbox> reports = std::make_shared<batcher_inbox>();
  std::shared_ptr<master_inbox> finished = std::make_shared<master_inbox>();
  std::shared_ptr<master_inbox> finished_by_second = std::make_shared<master_inbox>();
  std::shared_ptr<credit_inbox> returns = std::make_shared<credit_inbox>();
};

} // namespace signalbox
