#pragma once

#include "messages/answer.hpp"
#include "messages/breaker_state.hpp"
#include "messages/ledger.hpp"
#include "messages/subscription.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/typed_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Every actor's interface, with each of its messages. All of them stay inside the process: they
// carry shared pointers and actor handles, and none is ever serialized.

namespace signalbox {

// --- what travels
// ------------------------------------------------------------------------------------

/// How the HTTP adapter hears what became of a job. `accepted` has what the store answered, with
/// its code ok: also for a request about an activity that made no job. Called at most once, from
/// any thread; destroyed without a call, it answers 503, so that a message which a full mailbox
/// refused or a crashed actor took along still gets its answer.
class job_reply {
public:
  virtual ~job_reply() = default;
  virtual void accepted(const job_id& job, const commit_result& outcome) = 0;
  virtual void refused(errc code, const std::string& message) = 0;
};

struct accept_job {
  new_job job;
  std::shared_ptr<job_reply> reply;
};

/// Jobs on their way to their lane's ingest: as many as came in one turn of the HTTP server's loop.
struct accept_jobs {
  std::vector<accept_job> jobs;
};

/// Jobs of one lane on their way to the group committer, in order of arrival.
struct submit_jobs {
  std::string lane;
  std::vector<accept_job> jobs;
};

/// The committer took this many jobs of the lane off its queue.
struct jobs_taken {
  std::size_t count = 0;
};

/// The store's answer to a commit group.
struct group_committed {
  result<std::vector<commit_result>> outcome;
};

/// Works that came back claimed from a commit, for the lane's masters.
struct direct_works {
  std::vector<work_ptr> works;
};

/// There may be something to do. Only a hint: the store is the truth, a lost one costs one sweep.
struct work_hint {};

struct planned {
  result<plan_result> outcome;
};

/// Room at one sender for one destination, in targets. Returned room may be negative: a chunk is
/// never split, so a claim may overdraw its grant by less than a chunk.
struct credit_share {
  std::size_t sender = 0; ///< its place in lane_peers::senders
  destination dest;
  std::int64_t targets = 0;
  std::uint64_t probe = 0; ///< room for a probe of an open destination, until it is used; else 0
};

/// A master asks for room, and is answered when there is some for either purpose. A later request
/// of the same master replaces an earlier one.
struct credit_request {
  std::size_t master = 0;
  std::vector<destination> urgent; ///< of works that are already claimed: any room will do
  bool claim = false;              ///< for a claim: enough to be worth its transaction
  std::vector<destination> wanted; ///< what to claim for; none named: any destination
  bool operator==(const credit_request&) const = default;
};

/// Room that is reserved for the master until it is used or returned.
struct credit_grant {
  std::vector<credit_share> shares;
  bool claim = false; ///< there is enough for a claim
};

/// Room that is free again: outcomes were committed, or a grant was not used up.
struct credit_return {
  std::vector<credit_share> shares;
};

/// A master saw work for destinations that may have no credit yet.
struct open_destinations {
  std::vector<destination> destinations;
};

/// A sender tells a new credit actor how many targets it holds: queued, in flight or uncommitted.
struct credit_used {
  std::vector<credit_share> shares;
};

struct claimed {
  result<claim_result> outcome;
};

struct reloaded {
  work_ptr before;
  result<work_ptr> outcome;
};

struct leases_renewed {
  std::vector<work_ptr> works; ///< in the order of the request
  result<renewal> outcome;
};

/// A master hands works to a sender within the credit it was granted.
struct assign_works {
  std::size_t master = 0;
  std::vector<work_ptr> works;
};

/// Works whose every target has a committed outcome.
struct works_finished {
  std::vector<work_ptr> works;
};

/// New lease deadlines for works a sender holds. One that it does not hold (any more) it returns.
struct extend_leases {
  std::vector<work_ptr> works;
  boot_clock::time_point deadline;
  std::size_t master = 0;
};

/// Works whose lease was lost: nothing more of them is submitted or reported.
struct drop_works {
  std::vector<work_ptr> works;
};

/// Works whose jobs are paused: nothing more of them is submitted, and what has no outcome yet is
/// returned.
struct return_works {
  std::vector<work_ptr> works;
};

/// Works that a sender is done with without having sent all of them: whatever it did send has a
/// durable outcome. Their leases are to be released.
struct works_returned {
  std::vector<work_ptr> works;
};

/// A target to which the provider refused the credentials.
struct refused_target {
  token_id token = 0;
  bool alone = false; ///< nothing was accepted at the sender since the request left
};

/// What a sender saw of a destination. Sent only while there is trouble: of failures and refusals
/// as they come, and of the first success after credit said that it watches.
struct destination_report {
  std::size_t sender = 0;
  destination dest;
  unsigned failures = 0; ///< of outage kind, with no success among them
  bool success = false;  ///< the provider worked for a request
  bool accepted = false; ///< the credentials did: a request was accepted, or its target was known
  std::vector<refused_target> refused{}; ///< the first 256 of a message
  bool misconfigured = false;            ///< the node itself had no credentials to send with
  bool idle = false;                     ///< nothing is left here to probe with
  std::size_t committed = 0; ///< answered and durable; told while the destination ramps up
  std::string reason{};      ///< of the failures or the refusal
};

/// Credit's word on a destination, to senders and masters.
struct destination_changed {
  destination dest;
  breaker_state state = breaker_state::closed;
  std::size_t limit = 0; ///< requests that the sender addressed may have in flight
  bool watch = false;    ///< tell of the next success, and of the next that was accepted
  bool success = false;  ///< a success ended the failures
  bool accepted = false; ///< one ended the refusals
};

/// A person, or a reload of the credentials, closes breakers: all that fit what is given.
struct reset_breakers {
  std::optional<destination> dest;
  std::optional<breaker_kind> kind;
};

/// What a configuration breaker waits for may have come: those that fit probe at once.
struct probe_now {
  std::optional<destination> dest;
};

/// A part of a work, for the transport.
struct work_slice {
  work_ptr of;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// The store's answer to marks: whether each slice's lease is held.
struct slices_marked {
  std::vector<work_slice> slices;
  result<std::vector<bool>> outcome;
};

struct refunded {
  std::vector<retry_ref> retries;
  result<unit> outcome;
};

struct released {
  result<unit> outcome;
};

/// A job ended: what has not been submitted is skipped, with the reason given.
struct job_stopped {
  job_id job;
  std::string reason; ///< "cancelled", "expired" ...
};

struct answers {
  std::vector<answer_batch> batches;
};

/// The transport has answered everything and closed its connections.
struct transport_stopped {};

/// Outcomes on their way into the ledger. `number` rises by one with each report of the sender
/// `from`.
struct report_outcomes {
  caf::strong_actor_ptr from;
  std::uint64_t number = 0;
  bool pressing = false; ///< half of a window awaits its commit
  std::vector<outcome_batch> batches;
};

/// All reports of the sender up to `number` are durable.
struct reports_committed {
  std::uint64_t number = 0;
};

struct flushed {
  result<flush_result> outcome;
};

struct completed {
  std::vector<job_id> tried;
  result<std::vector<job_id>> outcome;
};

struct swept {
  result<sweep_result> outcome;
};

struct measured {
  result<backlog> outcome;
};

/// How the HTTP adapter hears what became of a request to watch. Called at most once, from any
/// thread; destroyed without a call, it answers 503.
class watch_reply {
public:
  virtual ~watch_reply() = default;
  virtual void opened(std::shared_ptr<subscription> events) = 0;
  /// The subscriber has got the last event there will be.
  virtual void nothing_more() = 0;
  virtual void refused(errc code, const std::string& message) = 0;
};

/// What somebody watches.
enum class watch_scope : std::uint8_t { node, job, activity };

/// Somebody wants to hear of what happens from now on, after what there is now or, with the id of
/// the last event that he got, what he has missed.
struct watch_request {
  watch_scope scope = watch_scope::node;
  app_id app = default_app;
  job_id job{};
  std::string activity{};
  std::string last_event{};
  std::shared_ptr<watch_reply> reply{};
};

struct change_set;

/// The store's answers to the broadcaster: what changed, what there is at all, and what the
/// `watcher` asked for.
struct changes_taken {
  errc code = errc::ok;
  std::string message;
  std::shared_ptr<const change_set> set;
};

struct recent_listed {
  changes_taken answer;
};

struct watched_found {
  std::uint64_t watcher = 0;
  changes_taken answer;
};

/// The ordered stop has reached the stage: finish what was begun, take nothing new, then answer.
struct drain {};
struct drained {};

/// A stage's own timer.
struct tick {};

/// The batcher looks whether token storms are over.
struct storm_tick {};

struct lane_peers;

/// Sent by the lane's supervisor at the start and after every restart.
struct peers_changed {
  std::shared_ptr<const lane_peers> peers;
};

} // namespace signalbox

// In-process only: no serialization, hence no type ids.
#define SIGNALBOX_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::type)
SIGNALBOX_LOCAL_MESSAGE(accept_jobs)
SIGNALBOX_LOCAL_MESSAGE(submit_jobs)
SIGNALBOX_LOCAL_MESSAGE(jobs_taken)
SIGNALBOX_LOCAL_MESSAGE(group_committed)
SIGNALBOX_LOCAL_MESSAGE(direct_works)
SIGNALBOX_LOCAL_MESSAGE(work_hint)
SIGNALBOX_LOCAL_MESSAGE(planned)
SIGNALBOX_LOCAL_MESSAGE(credit_request)
SIGNALBOX_LOCAL_MESSAGE(credit_grant)
SIGNALBOX_LOCAL_MESSAGE(credit_return)
SIGNALBOX_LOCAL_MESSAGE(open_destinations)
SIGNALBOX_LOCAL_MESSAGE(credit_used)
SIGNALBOX_LOCAL_MESSAGE(claimed)
SIGNALBOX_LOCAL_MESSAGE(reloaded)
SIGNALBOX_LOCAL_MESSAGE(leases_renewed)
SIGNALBOX_LOCAL_MESSAGE(assign_works)
SIGNALBOX_LOCAL_MESSAGE(works_finished)
SIGNALBOX_LOCAL_MESSAGE(extend_leases)
SIGNALBOX_LOCAL_MESSAGE(drop_works)
SIGNALBOX_LOCAL_MESSAGE(job_stopped)
SIGNALBOX_LOCAL_MESSAGE(answers)
SIGNALBOX_LOCAL_MESSAGE(transport_stopped)
SIGNALBOX_LOCAL_MESSAGE(report_outcomes)
SIGNALBOX_LOCAL_MESSAGE(reports_committed)
SIGNALBOX_LOCAL_MESSAGE(flushed)
SIGNALBOX_LOCAL_MESSAGE(completed)
SIGNALBOX_LOCAL_MESSAGE(swept)
SIGNALBOX_LOCAL_MESSAGE(measured)
SIGNALBOX_LOCAL_MESSAGE(return_works)
SIGNALBOX_LOCAL_MESSAGE(works_returned)
SIGNALBOX_LOCAL_MESSAGE(destination_report)
SIGNALBOX_LOCAL_MESSAGE(destination_changed)
SIGNALBOX_LOCAL_MESSAGE(reset_breakers)
SIGNALBOX_LOCAL_MESSAGE(probe_now)
SIGNALBOX_LOCAL_MESSAGE(slices_marked)
SIGNALBOX_LOCAL_MESSAGE(refunded)
SIGNALBOX_LOCAL_MESSAGE(released)
SIGNALBOX_LOCAL_MESSAGE(watch_request)
SIGNALBOX_LOCAL_MESSAGE(changes_taken)
SIGNALBOX_LOCAL_MESSAGE(recent_listed)
SIGNALBOX_LOCAL_MESSAGE(watched_found)
SIGNALBOX_LOCAL_MESSAGE(drain)
SIGNALBOX_LOCAL_MESSAGE(drained)
SIGNALBOX_LOCAL_MESSAGE(tick)
SIGNALBOX_LOCAL_MESSAGE(storm_tick)
SIGNALBOX_LOCAL_MESSAGE(peers_changed)
#undef SIGNALBOX_LOCAL_MESSAGE

namespace signalbox {

// --- who understands what
// ------------------------------------------------------------------------------

/// Takes a lane's jobs in and passes them on to the committer within its credit; its mailbox is the
/// lane's door.
using ingest =
  caf::typed_actor<caf::reacts_to<accept_jobs>, caf::reacts_to<jobs_taken>,
                   caf::reacts_to<peers_changed>, caf::replies_to<drain>::with<drained>>;

/// Commits jobs in groups, from the lanes in turn, answers each after the commit, and tells the
/// lane.
using committer = caf::typed_actor<caf::reacts_to<submit_jobs>, caf::reacts_to<group_committed>,
                                   caf::reacts_to<tick>, caf::reacts_to<peers_changed>,
                                   caf::replies_to<drain>::with<drained>>;

/// Cuts jobs into chunks, a bounded step at a time, while there is something to plan.
using planner =
  caf::typed_actor<caf::reacts_to<work_hint>, caf::reacts_to<planned>, caf::reacts_to<tick>,
                   caf::reacts_to<peers_changed>, caf::replies_to<drain>::with<drained>>;

/// Shares out the room at the senders among the masters; holds the breakers.
using credit =
  caf::typed_actor<caf::reacts_to<credit_request>, caf::reacts_to<credit_return>,
                   caf::reacts_to<open_destinations>, caf::reacts_to<credit_used>,
                   caf::reacts_to<destination_report>, caf::reacts_to<reset_breakers>,
                   caf::reacts_to<probe_now>, caf::reacts_to<tick>, caf::reacts_to<peers_changed>>;

/// Claims works under a lease, hands them to senders within its credit, renews the leases.
using master = caf::typed_actor<
  caf::reacts_to<work_hint>, caf::reacts_to<direct_works>, caf::reacts_to<credit_grant>,
  caf::reacts_to<claimed>, caf::reacts_to<reloaded>, caf::reacts_to<works_finished>,
  caf::reacts_to<works_returned>, caf::reacts_to<released>, caf::reacts_to<destination_changed>,
  caf::reacts_to<leases_renewed>, caf::reacts_to<job_stopped>, caf::reacts_to<tick>,
  caf::reacts_to<peers_changed>, caf::replies_to<drain>::with<drained>>;

/// Owns the windows of in-flight requests over its own connections; turns answers into outcomes.
using sender = caf::typed_actor<
  caf::reacts_to<assign_works>, caf::reacts_to<answers>, caf::reacts_to<transport_stopped>,
  caf::reacts_to<reports_committed>, caf::reacts_to<extend_leases>, caf::reacts_to<drop_works>,
  caf::reacts_to<return_works>, caf::reacts_to<destination_changed>, caf::reacts_to<slices_marked>,
  caf::reacts_to<refunded>, caf::reacts_to<job_stopped>, caf::reacts_to<tick>,
  caf::reacts_to<peers_changed>, caf::replies_to<drain>::with<drained>>;

/// Writes outcomes in one transaction a flush, then tries completions.
using outcome_batcher =
  caf::typed_actor<caf::reacts_to<report_outcomes>, caf::reacts_to<flushed>,
                   caf::reacts_to<completed>, caf::reacts_to<reset_breakers>,
                   caf::reacts_to<storm_tick>, caf::reacts_to<tick>, caf::reacts_to<peers_changed>,
                   caf::replies_to<drain>::with<drained>>;

/// Looks for what time has made due or a crash left behind, and hints at it.
using sweeper =
  caf::typed_actor<caf::reacts_to<swept>, caf::reacts_to<measured>, caf::reacts_to<tick>,
                   caf::reacts_to<peers_changed>, caf::replies_to<drain>::with<drained>>;

/// Tells those who watch of what changes: looks at the store at an interval, and at once after a
/// hint that something has ended.
using broadcaster = caf::typed_actor<caf::reacts_to<watch_request>, caf::reacts_to<work_hint>,
                                     caf::reacts_to<changes_taken>, caf::reacts_to<recent_listed>,
                                     caf::reacts_to<watched_found>, caf::reacts_to<tick>,
                                     caf::replies_to<drain>::with<drained>>;

/// A child died and its backoff is over.
struct restart_child {
  std::size_t place = 0;
};

/// One of the actors that all lanes share was (re)started: lanes pass them on to their actors.
struct shared_changed {
  committer group;
  broadcaster events;
};

/// First step of the ordered stop: a lane's door passes on what it took in and refuses the rest.
struct drain_door {};

} // namespace signalbox

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::restart_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::shared_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::drain_door)

namespace signalbox {

/// Owns a lane's actors: starts them, restarts what crashes, escalates what keeps crashing, and
/// runs the lane's part of the ordered stop.
using lane_supervisor =
  caf::typed_actor<caf::reacts_to<restart_child>, caf::reacts_to<shared_changed>,
                   caf::replies_to<drain_door>::with<drained>,
                   caf::replies_to<drain>::with<drained>>;

/// Owns the committer and the lanes, and runs the ordered stop.
using node_supervisor =
  caf::typed_actor<caf::reacts_to<restart_child>, caf::reacts_to<peers_changed>,
                   caf::replies_to<drain>::with<drained>>;

/// A lane's actors as they are now. A place in `masters` or `senders` outlives the actor in it. A
/// handle is null while its actor waits to be restarted.
struct lane_peers {
  std::string lane;
  ingest door;
  committer group;
  planner plan;
  credit room;
  std::vector<master> masters;
  std::vector<sender> senders;
  std::vector<platform> sender_platforms; ///< by place in `senders`
  outcome_batcher outcomes;
  broadcaster events; ///< the node's
};

} // namespace signalbox
