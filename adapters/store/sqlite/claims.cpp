#include "adapters/store/sqlite/claims.hpp"

#include "actors/job_states.hpp"
#include "adapters/store/sqlite/clock.hpp"
#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/destinations.hpp"
#include "adapters/store/sqlite/due_retries.hpp"
#include "adapters/store/sqlite/leases.hpp"
#include "adapters/store/sqlite/parking.hpp"
#include "adapters/store/sqlite/retry_packs.hpp"
#include "adapters/store/sqlite/savepoint.hpp"
#include "adapters/store/sqlite/states.hpp"
#include "adapters/store/sqlite/turns.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace signalbox::sqlite {

namespace {

// One claim takes so many retries, and the rest of a pack, at most; so does one work.
constexpr std::size_t most_retries = 1'000;
// And passes by so much of jobs that have ended, which somebody is closing already.
constexpr std::size_t most_passed_by = 500;
// And parks so many rows of paused jobs.
constexpr std::size_t most_parked = 2'000;
// Claims of retries begin at the oldest again after so long at most.
constexpr std::chrono::milliseconds longest_round{500};

struct job_state {
  job_id id;
  job_status status = job_status::queued;
  bool is_dispatch = false; ///< of an activity
  /// With older dispatches, once looked up; nothing if that cannot be known.
  std::map<pool_code, std::optional<std::vector<token_id>>> busy;
  std::optional<job_traits> traits; ///< while there are pauses of jobs
};

// One destination's part of a claim.
struct share {
  app_pool dest;
  std::size_t budget = 0; ///< targets left
  job_number last = 0;    ///< the job that was served last
  bool claimed_since_wrap = false;
  bool has_wrapped = false;
  bool is_empty = false;
};

class claimer {
public:
  claimer(connection& database, shared_state& shared, writer_state& state, lane_number lane,
          const claim_request& request)
    : database_{database}, shared_{shared}, state_{state}, lane_{lane}, request_{request},
      now_{shared.now()}, expires_at_{now_ + request.lease} {}

  claimed_set claim() {
    auto ready = destinations_with_chunks(database_, lane_);
    auto waiting = destinations_with_due_retries();
    leave_out_paused(ready);
    leave_out_paused(waiting);
    auto shares = shares_of(ready, waiting);
    claim_retries(shares, waiting);
    claim_chunks(shares, ready);
    name_refused(shares, ready, waiting);
    result_.is_cut_short = parked_ >= most_parked;
    if (!result_.works.empty())
      state_.next_lease_expiry = std::min(state_.next_lease_expiry, expires_at_);
    result_.lane = lane_;
    result_.expires_at = expires_at_;
    return std::move(result_);
  }

private:
  void leave_out_paused(std::set<app_pool>& dests) const {
    if (!shared_.pauses.is_empty())
      std::erase_if(dests, [this](const auto& dest) {
        return shared_.pauses.covers(request_.lane, dest.first, dest.second);
      });
  }

  bool is_paused(const job_state& job, const app_pool& dest) const {
    return job.traits && shared_.pauses.covers(*job.traits, dest.second);
  }

  // By app in turn: another app is the first in every claim.
  std::vector<share> shares_of(const std::set<app_pool>& ready, const std::set<app_pool>& waiting) {
    std::vector<share> shares;
    for (const auto& budget : request_.budgets) {
      const app_pool dest{budget.dest.app, pool_of(budget.dest.provider, budget.dest.env)};
      if (budget.targets > 0 && (ready.count(dest) != 0 || waiting.count(dest) != 0))
        shares.push_back({dest, budget.targets, last_claimed(dest)});
    }
    std::sort(shares.begin(), shares.end(),
              [](const auto& a, const auto& b) { return a.dest < b.dest; });
    if (!shares.empty())
      std::rotate(shares.begin(),
                  shares.begin() +
                    static_cast<std::ptrdiff_t>(state_.claim_turn[lane_]++ % shares.size()),
                  shares.end());
    return shares;
  }

  job_number& last_claimed(const app_pool& dest) {
    return state_.last_claimed[{lane_, dest.first, dest.second}];
  }

  void claim_retries(std::vector<share>& shares, const std::set<app_pool>& waiting) {
    std::size_t left = most_retries;
    for (auto& part : shares) {
      if (waiting.count(part.dest) == 0)
        continue;
      const auto taken = claim_retries_of(part.dest, std::min(left, (part.budget + 1) / 2));
      part.budget -= std::min(part.budget, taken);
      left -= std::min(left, taken);
    }
  }

  // Every so often from the oldest pack again: nothing is left behind for longer.
  retry_cursor& cursor_of(const app_pool& dest) {
    auto& cursor = state_.retry_cursors[place_of(dest)];
    if (now_ >= cursor.started_at + longest_round || now_ < cursor.started_at)
      cursor = {{}, 0, now_};
    return cursor;
  }

  lane_pool place_of(const app_pool& dest) const { return {lane_, dest.first, dest.second}; }

  std::set<app_pool> destinations_with_due_retries() {
    auto dests = destinations_with_retries(database_, lane_);
    std::erase_if(dests, [this](const auto& dest) {
      return !has_due_retry(database_, shared_.retry_leases, place_of(dest), now_, cursor_of(dest));
    });
    return dests;
  }

  // What a claim comes upon of a destination's due packs: nothing is written while they are read.
  struct found_packs {
    std::vector<retry_pack> free;
    std::size_t free_targets = 0;
    std::vector<retry_pack> busy; ///< as far as they are: not to be sent yet
    std::vector<pack_number> paused;
    std::vector<retry_pack> damaged;
  };

  std::size_t claim_retries_of(const app_pool& dest, std::size_t limit) {
    found_packs found;
    auto& cursor = cursor_of(dest);
    const auto after = cursor;
    visit_due_packs(database_, shared_.retry_leases, place_of(dest), now_, after,
                    [&](const due_pack& due) {
                      if (found.free_targets >= limit || passed_by_ >= most_passed_by ||
                          parked_ + found.paused.size() >= most_parked)
                        return false;
                      look_at(*read_pack(database_, due.n), dest, found);
                      cursor = {due.run_at, due.n, after.started_at};
                      return true;
                    });
    for (auto& pack : found.damaged)
      close(pack);
    for (auto& pack : found.busy)
      postpone(pack);
    for (const auto n : found.paused)
      park_pack(database_, n);
    parked_ += found.paused.size();
    std::stable_sort(found.free.begin(), found.free.end(),
                     [](const auto& a, const auto& b) { return a.job < b.job; });
    claimed_work taken;
    for (const auto& pack : found.free) {
      for (const auto& one : pack.entries)
        taken.retries.push_back({one, pack.n});
      if (&pack == &found.free.back() || (&pack)[1].job != pack.job ||
          taken.retries.size() >= most_retries)
        add_retries(std::exchange(taken, {}), pack.job, dest);
    }
    return found.free_targets;
  }

  void look_at(retry_pack pack, const app_pool& dest, found_packs& found) {
    auto& job = state_of(pack.job);
    if (!allows_retry_claims(job.status)) {
      ++passed_by_;
    } else if (is_paused(job, dest)) {
      found.paused.push_back(pack.n);
    } else if (pack.is_damaged) {
      found.damaged.push_back(std::move(pack));
    } else {
      if (job.is_dispatch)
        split_busy(job, pack, found.busy);
      found.free_targets += pack.entries.size();
      if (!pack.entries.empty())
        found.free.push_back(std::move(pack));
    }
  }

  // Targets that an older dispatch of the activity has a request in flight to are not sent yet.
  void split_busy(job_state& job, retry_pack& pack, std::vector<retry_pack>& busy) {
    const auto& tokens = busy_with(job, pack);
    const auto is_free = [&](const retry_entry& one) {
      return tokens && !std::binary_search(tokens->begin(), tokens->end(), one.token);
    };
    const auto kept = std::stable_partition(pack.entries.begin(), pack.entries.end(), is_free);
    if (kept == pack.entries.end())
      return;
    auto& made = busy.emplace_back(pack);
    made.entries.assign(kept, pack.entries.end());
    pack.entries.erase(kept, pack.entries.end());
  }

  const std::optional<std::vector<token_id>>& busy_with(job_state& job, const retry_pack& pack) {
    const auto pool = std::get<pool_code>(pack.place);
    const auto [known, is_new] = job.busy.try_emplace(pool);
    if (is_new)
      try {
        known->second = busy_tokens(database_, shared_.retry_leases, pack.job, pool);
      } catch (const failure& error) {
        if (!error.is_about_rows())
          throw;
        spdlog::error("event=order_unknown job={} error=\"{}\"", job.id.to_string(), error.what());
      }
    return known->second;
  }

  // `pack` has what is busy of a row: all, or a part that gets a row of its own.
  void postpone(retry_pack& pack) {
    const auto run_at = now_ + straggler_look;
    if (pack.entries.size() == pack.size)
      return postpone_pack(database_, pack.n, run_at, now_);
    auto rest = *read_pack(database_, pack.n);
    std::erase_if(rest.entries, [&](const retry_entry& one) {
      return std::find(pack.entries.begin(), pack.entries.end(), one) != pack.entries.end();
    });
    rewrite_pack(database_, rest);
    pack.run_at = run_at;
    pack.written_at = now_;
    insert_pack(database_, pack);
  }

  void close(const retry_pack& pack) {
    if (const auto error = try_part(database_, [&] {
          close_damaged(database_, pack, now_);
          try_complete(database_, pack.job, now_);
        })) {
      ++passed_by_;
      spdlog::error("event=damage_not_closed job_number={} pack={} error=\"{}\"", pack.job, pack.n,
                    *error);
    }
  }

  // An epoch of its own: with the job it is what the work's retries are found by.
  void add_retries(claimed_work taken, job_number job, const app_pool& dest) {
    epoch_ = next_epoch(database_, state_);
    taken.kind = work_kind::retry;
    const auto seq = taken.retries.front().entry.seq;
    add(std::move(taken), job, seq, dest);
  }

  // False if the database refuses these rows: others may do.
  template <class Write>
  bool spare_others(job_number job, Write write) {
    try {
      write();
      return true;
    } catch (const failure& error) {
      if (!error.is_about_rows() || !database_.in_transaction())
        throw;
      ++passed_by_;
      spdlog::error("event=not_claimed job={} error=\"{}\"", jobs_.at(job).id.to_string(),
                    error.what());
      return false;
    }
  }

  void claim_chunks(std::vector<share>& shares, const std::set<app_pool>& ready) {
    for (auto& part : shares)
      part.is_empty = ready.count(part.dest) == 0;
    std::size_t chunks = 0;
    for (bool has_claimed = true; has_claimed && chunks < request_.max_chunks;) {
      has_claimed = false;
      for (auto& part : shares) {
        if (chunks >= request_.max_chunks)
          break;
        if (part.is_empty || part.budget == 0)
          continue;
        if (claim_chunk(part)) {
          has_claimed = true;
          ++chunks;
        }
      }
    }
  }

  // The first chunk of the next job in turn; false if no job has one to claim.
  bool claim_chunk(share& part) {
    while (passed_by_ < most_passed_by && parked_ < most_parked) {
      const auto place = next_chunk(part);
      if (!place)
        return false;
      part.last = last_claimed(part.dest) = place->first;
      const auto& job = state_of(place->first);
      if (!allows_chunk_claims(job.status)) {
        ++passed_by_;
        continue;
      }
      if (is_paused(job, part.dest)) {
        parked_ += std::max<std::size_t>(1, park_chunks(database_, place->first, part.dest.second));
        continue;
      }
      const auto targets = *database_.value("SELECT targets FROM chunks WHERE job = ? AND seq = ?",
                                            place->first, place->second);
      if (!lease_chunk(place->first, place->second))
        continue;
      part.budget -= std::min(part.budget, static_cast<std::size_t>(targets));
      part.claimed_since_wrap = true;
      shared_.ahead.note_claim(place->first, part.dest.second);
      add({}, place->first, place->second, part.dest);
      return true;
    }
    return false;
  }

  bool lease_chunk(job_number job, std::uint32_t seq) {
    return spare_others(job, [&] {
      begin_job(job);
      database_.execute("UPDATE chunks SET status = 2, owner = ?, epoch = ?, lease_expires_at = ? "
                        "WHERE job = ? AND seq = ? AND status = 1",
                        shared_.owner, epoch(), expires_at_, job, seq);
    });
  }

  std::optional<std::pair<job_number, std::uint32_t>> next_chunk(share& part) {
    for (;;) {
      {
        auto found = database_.query(
          "SELECT job, seq FROM chunks INDEXED BY chunks_ready WHERE status = 1 AND lane = ? "
          "AND app = ? AND pool = ? AND job > ? ORDER BY job, seq LIMIT 1",
          lane_, part.dest.first, part.dest.second, part.last);
        if (found.next())
          return std::pair{found.integer(0), static_cast<std::uint32_t>(found.integer(1))};
      }
      // A whole turn without a claim: what is left belongs to jobs that ended.
      if (part.has_wrapped && !part.claimed_since_wrap) {
        part.is_empty = true;
        return std::nullopt;
      }
      part.has_wrapped = true;
      part.claimed_since_wrap = false;
      part.last = 0;
    }
  }

  void begin_job(job_number job) {
    auto& known = jobs_.at(job);
    if (known.status != job_status::queued)
      return;
    database_.execute("UPDATE jobs SET status = 3 WHERE n = ? AND status = 2", job);
    known.status = job_status::in_progress;
  }

  void add(claimed_work taken, job_number job, std::uint32_t seq, const app_pool& dest) {
    taken.job = job;
    taken.key = {state_of(job).id, seq};
    taken.epoch = epoch();
    taken.dest = destination_of(dest.first, dest.second);
    result_.works.push_back(std::move(taken));
  }

  job_state& state_of(job_number job) {
    const auto known = jobs_.find(job);
    if (known != jobs_.end())
      return known->second;
    bool is_late = false;
    auto found =
      database_.query("SELECT id, status, deadline, scope_kind FROM jobs WHERE n = ?", job);
    auto& made = jobs_[job];
    if (found.next()) {
      made.id = found.id(0);
      made.status = found.as<job_status>(1);
      made.is_dispatch = found.as<scope_kind>(3) == scope_kind::activity;
      state_.jobs.put(made.id, job);
      is_late = made.status == job_status::queued && !found.is_null(2) && found.time(2) <= now_;
    } else {
      made.status = job_status::failed; // claims nothing
    }
    if (shared_.pauses.has_any_of_jobs())
      made.traits = traits_of(database_, job);
    return is_late ? expire(job, made) : made;
  }

  // Too late for its first claim. Ended here, so that after an outage claims do not pass by the
  // same late jobs again and again until the sweeper has come to them.
  job_state& expire(job_number job, job_state& late) {
    end_job(database_, job, job_status::queued, job_status::expired);
    close_slice(database_, shared_.retry_leases, job, now_);
    late.status = job_status::expired;
    return late;
  }

  std::uint64_t epoch() {
    if (epoch_ == 0)
      epoch_ = next_epoch(database_, state_);
    return epoch_;
  }

  void name_refused(const std::vector<share>& shares, const std::set<app_pool>& ready,
                    const std::set<app_pool>& waiting) {
    auto dests = ready;
    dests.insert(waiting.begin(), waiting.end());
    for (const auto& dest : dests) {
      const auto part = std::find_if(shares.begin(), shares.end(),
                                     [&](const auto& one) { return one.dest == dest; });
      if (part == shares.end() || (part->budget == 0 && has_chunks_left(dest)))
        result_.refused.push_back(destination_of(dest.first, dest.second));
    }
  }

  bool has_chunks_left(const app_pool& dest) {
    return database_
      .value("SELECT 1 FROM chunks INDEXED BY chunks_ready WHERE status = 1 AND lane = ? "
             "AND app = ? AND pool = ? LIMIT 1",
             lane_, dest.first, dest.second)
      .has_value();
  }

  connection& database_;
  shared_state& shared_;
  writer_state& state_;
  lane_number lane_;
  const claim_request& request_;
  timestamp now_;
  timestamp expires_at_;
  std::uint64_t epoch_ = 0;
  std::size_t passed_by_ = 0;
  std::size_t parked_ = 0;
  std::unordered_map<job_number, job_state> jobs_;
  claimed_set result_;
};

} // namespace

claimed_set claim_work(connection& database, shared_state& shared, writer_state& state,
                       const claim_request& request) {
  const auto lane = shared.lanes.find(database, request.lane);
  if (!lane)
    return {};
  follow_clock(database, shared, state, shared.now());
  expire_leases(database, shared, state, shared.now());
  return claimer{database, shared, state, *lane, request}.claim();
}

void begin_retry_leases(shared_state& shared, const claimed_set& claimed) {
  for (const auto& work : claimed.works) {
    if (work.kind != work_kind::retry)
      continue;
    std::vector<leased_retry> targets;
    targets.reserve(work.retries.size());
    for (const auto& [entry, pack] : work.retries)
      targets.push_back({entry.token, pack});
    const lane_pool place{claimed.lane, work.dest.app, pool_of(work.dest.provider, work.dest.env)};
    shared.retry_leases.begin(work.epoch, work.job, place, std::move(targets), claimed.expires_at);
  }
}

} // namespace signalbox::sqlite
