#include "adapters/store/sqlite/commit.hpp"

#include "actors/target_list.hpp"
#include "adapters/store/sqlite/activities.hpp"
#include "adapters/store/sqlite/activity_targets.hpp"
#include "adapters/store/sqlite/turns.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace signalbox::sqlite {

namespace {

// Read on the writer's thread, and so no more of a dispatch's.
constexpr std::size_t most_direct_targets = 32;

struct chunk_lease {
  std::int64_t owner = 0;
  std::uint64_t epoch = 0;
  timestamp expires_at;
};

void insert_leased_chunk(connection& database, const new_chunk& chunk, const chunk_lease& lease) {
  const auto ids = encode_targets(chunk.ids);
  database.execute("INSERT INTO chunks(job, seq, status, lane, app, pool, targets, owner, epoch, "
                   "lease_expires_at, ids) VALUES(?, ?, 2, ?, ?, ?, ?, ?, ?, ?, ?)",
                   chunk.job, chunk.seq, chunk.lane, chunk.app, chunk.pool, chunk.ids.size(),
                   lease.owner, lease.epoch, lease.expires_at, blob{ids});
}

class group_writer {
public:
  group_writer(connection& database, shared_state& shared, writer_state& state, commit_group& group)
    : database_{database}, shared_{shared}, state_{state}, group_{group}, now_{group.now} {}

  void write() {
    for (std::size_t i = 0; i < group_.jobs.size(); ++i)
      group_.results.push_back(write_job(group_.jobs[i], scope_of(i)));
  }

private:
  resolved_scope scope_of(std::size_t i) {
    const auto& job = group_.jobs[i].job;
    if (job.activity)
      return {};
    if (!is_resolved_by_reading(job, now_))
      return resolve_inline(database_, job, now_);
    return std::move(group_.scopes[i]);
  }

  commit_result write_job(job_submission& submission, resolved_scope scope) {
    if (scope.code != errc::ok)
      return {scope.code, std::move(scope.message), {}, {}, {}};
    auto& job = submission.job;
    if (job.activity)
      return write_dispatch(job, submission.take);
    auto context = context_of(job);
    const bool has_targets = !scope.targets.empty();
    const bool takes = submission.take && scope.is_known && has_targets;
    const auto status = is_for_later(job, now_)          ? job_status::scheduled
                        : scope.is_known && !has_targets ? job_status::completed
                        : takes                          ? job_status::in_progress
                                                         : job_status::queued;
    const auto n = state_.next_job++;
    const auto lane = shared_.lanes.number_of(database_, job.lane);
    const auto pools = count_pools(scope.targets);
    try {
      insert_job(n, lane, job, *context, scope, status, pools);
    } catch (const failure& error) {
      if (error.code() != SQLITE_CONSTRAINT)
        throw;
      return {errc::conflict, "a job with this id exists", {}, {}, {}};
    }
    state_.jobs.put(job.id, n);
    commit_result result{errc::ok, {}, status, {}, {}};
    if (has_targets)
      result.taken = write_chunks(n, lane, std::move(context), scope.targets, takes);
    if (!scope.list.empty())
      database_.execute("INSERT INTO job_scopes(job, list) VALUES(?, ?)", n, blob{scope.list});
    return result;
  }

  // A request about an activity: what it comes to, and its dispatch if it makes one.
  commit_result write_dispatch(new_job& job, bool takes) {
    const auto n = state_.next_job;
    auto accepted = accept_request(database_, job, n, now_);
    commit_result result{accepted.code, accepted.message, job_status::queued, {}, {}};
    if (accepted.code != errc::ok)
      return result;
    result.activity = accepted.answer;
    if (!accepted.answer.dispatch)
      return result;
    ++state_.next_job;
    job.scope = {scope_kind::activity, accepted.answer.activity, {}, {}};
    job.options.expires_at =
      std::min(job.options.expires_at.value_or(timestamp::max()), accepted.expires_at);
    insert_dispatch(database_, accepted, job, n);
    resolved_scope scope;
    if (takes && shared_.pauses.is_empty())
      scope = audience_of(n);
    scope.scope_id = accepted.activity;
    const auto context = context_of(job);
    context->activity = read_event(database_, n);
    const auto lane = shared_.lanes.number_of(database_, job.lane);
    if (scope.is_known)
      result.status = scope.targets.empty() ? job_status::completed : job_status::in_progress;
    insert_job(n, lane, job, *context, scope, result.status, count_pools(scope.targets));
    state_.jobs.put(job.id, n);
    if (result.status == job_status::completed)
      finish_dispatch(database_, n, result.status, now_);
    else if (scope.is_known)
      result.taken = write_chunks(n, lane, context, scope.targets, true);
    return result;
  }

  // Of a dispatch that need not wait for its turn, if it is for a few devices: else the planner
  // reads it.
  resolved_scope audience_of(job_number n) {
    resolved_scope scope;
    if (!has_turn_at_once(database_, n))
      return scope;
    begin_turn(database_, n, now_);
    activity_audience audience{database_, n, now_};
    if (!audience.is_read_by_tokens())
      return scope;
    for (const auto pool : all_pools) {
      const auto page = audience.read(pool, 0, 0, most_direct_targets);
      if (page.next >= 0 || scope.targets.size() + page.ids.size() > most_direct_targets) {
        scope.targets.clear();
        return scope;
      }
      for (const auto id : page.ids)
        if (auto seen = audience.look_at(id, pool); seen.reason.empty())
          scope.targets.push_back({id, pool, std::move(seen.token), true});
    }
    scope.is_known = true;
    return scope;
  }

  static std::shared_ptr<job_context> context_of(new_job& job) {
    auto context = std::make_shared<job_context>();
    context->id = job.id;
    context->app = job.app;
    context->payload = std::move(job.payload);
    context->options = job.options;
    context->created_at = job.created_at;
    context->not_before = job.not_before;
    return context;
  }

  static std::size_t count_pools(const std::vector<scope_target>& targets) {
    std::size_t pools = 0;
    for (std::size_t i = 0; i < targets.size(); ++i)
      pools += i == 0 || targets[i].pool != targets[i - 1].pool ? 1 : 0;
    return pools;
  }

  void insert_job(job_number n, lane_number lane, const new_job& job, const job_context& context,
                  const resolved_scope& scope, job_status status, std::size_t chunks) {
    const auto planned = scope.targets.size();
    const auto is_done = status == job_status::completed;
    const auto text_or_null = [](const std::string& text) {
      return text.empty() ? std::nullopt : std::optional<std::string_view>{text};
    };
    database_.execute(
      "INSERT INTO jobs(n, id, app, lane, status, plan_done, planned, next_seq, total, "
      "completed_at, deadline, scope_kind, scope_id, scope_name, not_before, expires_at, ttl, "
      "receipts, on_unknown, created_at, payload, reference) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      n, job.id, job.app, lane, status, scope.is_known, planned, chunks,
      scope.is_known ? std::optional{planned} : std::nullopt,
      is_done ? std::optional{now_} : std::nullopt, context.deadline(), job.scope.kind,
      scope.scope_id, text_or_null(job.scope.name), job.not_before, job.options.expires_at,
      job.options.ttl ? std::optional{job.options.ttl->count()} : std::nullopt,
      job.options.receipts, job.options.on_unknown, job.created_at,
      std::string_view{context.payload}, text_or_null(job.reference));
    if (!job.reference.empty())
      database_.execute("INSERT INTO job_references(app, reference, job) VALUES(?, ?, ?)", job.app,
                        std::string_view{job.reference}, n);
  }

  std::vector<work_ptr> write_chunks(job_number n, lane_number lane, job_context_ptr context,
                                     const std::vector<scope_target>& targets, bool takes) {
    std::vector<work_ptr> taken;
    std::vector<token_id> ids;
    std::uint32_t seq = 0;
    for (std::size_t begin = 0, end = 0; begin < targets.size(); begin = end, ++seq) {
      const auto pool = targets[begin].pool;
      ids.clear();
      for (end = begin; end < targets.size() && targets[end].pool == pool; ++end)
        ids.push_back(targets[end].id);
      const new_chunk chunk{n, seq, lane, context->app, pool, ids};
      if (!takes) {
        insert_chunk(database_, chunk);
        continue;
      }
      insert_leased_chunk(database_, chunk, lease());
      taken.push_back(make_work(context, seq, pool, {targets.begin() + begin, end - begin}));
    }
    return taken;
  }

  const chunk_lease& lease() {
    if (lease_.epoch == 0) {
      lease_ = {shared_.owner, next_epoch(database_, state_), now_ + group_.lease};
      state_.next_lease_expiry = std::min(state_.next_lease_expiry, lease_.expires_at);
    }
    return lease_;
  }

  work_ptr make_work(const job_context_ptr& context, std::uint32_t seq, pool_code pool,
                     std::span<const scope_target> targets) {
    auto taken = std::make_shared<work>();
    taken->key = {context->id, seq};
    taken->epoch = lease_.epoch;
    taken->dest = destination_of(context->app, pool);
    taken->job = context;
    taken->lease_deadline = group_.lease_deadline;
    std::uint32_t index = 0;
    for (const auto& one : targets) {
      if (!one.live) {
        taken->settled.push_back({one.id, index++, "invalidated"});
        continue;
      }
      taken->targets.push_back({one.id, index++, static_cast<std::uint32_t>(taken->text.size()),
                                static_cast<std::uint16_t>(one.token.size()), 0});
      taken->text += one.token;
    }
    return taken;
  }

  connection& database_;
  shared_state& shared_;
  writer_state& state_;
  commit_group& group_;
  timestamp now_;
  chunk_lease lease_;
};

} // namespace

void resolve_group(connection& database, const shared_state& shared, commit_group& group) {
  group.generation = shared.directory_generation.load();
  group.scopes.clear();
  for (const auto& submission : group.jobs)
    group.scopes.push_back(!submission.job.activity &&
                               is_resolved_by_reading(submission.job, group.now)
                             ? resolve(database, submission.job, group.now)
                             : resolved_scope{});
}

void commit_group_jobs(connection& database, shared_state& shared, writer_state& state,
                       commit_group& group) {
  if (group.scopes.size() != group.jobs.size() ||
      group.generation != shared.directory_generation.load())
    resolve_group(database, shared, group);
  group_writer{database, shared, state, group}.write();
}

void insert_chunk(connection& database, const new_chunk& chunk) {
  const auto ids = encode_targets(chunk.ids);
  database.execute("INSERT INTO chunks(job, seq, status, lane, app, pool, targets, ids) "
                   "VALUES(?, ?, 1, ?, ?, ?, ?, ?)",
                   chunk.job, chunk.seq, chunk.lane, chunk.app, chunk.pool, chunk.ids.size(),
                   blob{ids});
}

} // namespace signalbox::sqlite
