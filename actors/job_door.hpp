#pragma once

#include "messages/protocol.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// How the world outside reaches the actors: hands jobs to their lane's ingest, whoever is that at
/// the moment. Thread-safe.
class job_door {
public:
  /// Whether a lane of this name exists and takes pushes.
  bool knows(std::string_view lane) const;
  std::vector<std::string> lanes() const;
  /// A lane's actors as they are now; null if there is no such lane.
  std::shared_ptr<const lane_peers> peers(std::string_view lane) const;

  /// Takes the job in for the next `pass_on`. When the door is closed, the reply is destroyed
  /// unused, which answers 503.
  void submit(accept_job job);

  /// Passes what was submitted on to its lanes. When a lane's mailbox is full or its ingest is
  /// being restarted, the replies are destroyed unused.
  void pass_on();

  /// Tells every lane's masters that a job ended, so that they stop at once rather than with the
  /// next lease renewal.
  void stop_job(const job_id& job, const std::string& reason);

  /// Hands the request to the broadcaster; while that is being restarted or its mailbox is full,
  /// the reply is destroyed unused, which answers 503.
  void watch(watch_request request);

  /// Closes what fits of a lane's breakers, or of all lanes' if none is named. An outage that is
  /// reset ramps up; one that is not over opens again by itself.
  void reset_breakers(std::string_view lane, std::optional<destination> dest,
                      std::optional<breaker_kind> kind);

  /// What configuration breakers wait for may have come (a clock put right, a token endpoint that
  /// answers ...): those of the destination, or all, send their next probe at once, in every lane.
  void probe_now(std::optional<destination> dest);

  /// Jobs are refused from now on: the first step of the ordered stop.
  void close();
  bool closed() const;

  /// The lane's actors as they are now; called by its supervisor.
  void update(std::shared_ptr<const lane_peers> peers);

  /// The broadcaster as it is now; null while it is being restarted.
  void update(broadcaster events);

  /// Lets go of all actors, so that they can be destroyed.
  void clear();

private:
  mutable std::mutex mutex_;
  bool closed_ = false;
  broadcaster events_;
  std::map<std::string, std::shared_ptr<const lane_peers>, std::less<>> lanes_;
  std::map<std::string, std::vector<accept_job>> submitted_; ///< by lane
};

} // namespace signalbox
