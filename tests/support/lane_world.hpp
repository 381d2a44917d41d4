#pragma once

#include "actors/lane_supervisor.hpp"
#include "tests/support/builders.hpp"
#include "tests/support/caf_fixture.hpp"
#include "tests/support/fake_feed.hpp"
#include "tests/support/fake_reply.hpp"
#include "tests/support/fake_store.hpp"
#include "tests/support/fake_transport.hpp"

#include <memory>
#include <string>
#include <vector>

namespace signalbox {

/// What whole lanes need around them: a store, a provider, the door and the directory.
class lane_world : public caf_fixture {
protected:
  /// A lane of two masters and two APNs senders, all small: a window of 20, chunks of 10.
  lane_options small_lane(const std::string& name);

  node_ports ports() { return {store, clock, door, directory, breakers, lanes, feed}; }

  /// `count` new tokens, every third one of the sandbox.
  void add_topic(const std::string& name, std::size_t count);
  /// Puts a job into the ledger as an earlier commit.
  job_id add_job(std::uint64_t n, const std::string& topic, const std::string& lane = "push");

  /// Lets the provider answer all it was sent, by the script.
  void answer_all();
  /// Moves time on in steps, with the provider answering, until nothing of the job is left to do or
  /// `most` has passed.
  void finish(const job_id& job, std::chrono::milliseconds most = std::chrono::minutes{5});
  bool is_finished(const job_id& job) const;

  /// What is not closed, for messages.
  std::string breaker_states() const;

  /// Requests that were accepted, beyond the first of each (job, token).
  std::size_t duplicates() const;
  /// Senders that were started and died.
  std::size_t dead_transports() const;

  fake_store store{clock};
  job_door door;
  stage_directory directory;
  breaker_board breakers;
  lane_board lanes;
  fake_feed feed;
  std::vector<std::shared_ptr<fake_transport>> transports; ///< of every sender there ever was
  fake_transport::script script;
  bool throw_in_classify = false; ///< once
  std::map<std::pair<job_id, token_id>, std::size_t> accepts;

  /// What a transport answers by: the script's answer, with accepts counted.
  fake_transport::script counting();

private:
  token_id last_token_ = 0;
};

} // namespace signalbox
