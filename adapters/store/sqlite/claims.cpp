#include "adapters/store/sqlite/claims.hpp"

#include "actors/job_states.hpp"
#include "adapters/store/sqlite/claim_jobs.hpp"
#include "adapters/store/sqlite/clock.hpp"
#include "adapters/store/sqlite/destinations.hpp"
#include "adapters/store/sqlite/leases.hpp"
#include "adapters/store/sqlite/parking.hpp"
#include "adapters/store/sqlite/retry_claims.hpp"
#include "adapters/store/sqlite/savepoint.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>
#include <utility>

namespace signalbox::sqlite {

namespace {

// One claim takes so many retries at most, and the rest of a pack.
constexpr std::size_t most_retries = 1'000;

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
      now_{shared.now()}, jobs_{database, shared, state, now_}, expires_at_{now_ + request.lease} {}

  claimed_set claim() {
    auto ready = destinations_with_chunks(database_, lane_);
    retry_claims retries{database_, shared_, state_, jobs_, lane_, now_};
    auto waiting = retries.destinations();
    leave_out_paused(ready);
    leave_out_paused(waiting);
    auto shares = shares_of(ready, waiting);
    claim_retries(retries, shares, waiting, ready);
    claim_chunks(shares, ready);
    if (has_passed_retries_ && result_.works.empty()) // and what is ready belongs to ended jobs
      claim_retries(retries, shares, waiting, ready);
    name_refused(shares, ready, waiting);
    result_.is_cut_short = jobs_.has_parked_enough() || retries.has_put_off_enough();
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

  // A pack may be more than the whole of a small budget: then new work has the next one.
  void claim_retries(retry_claims& retries, std::vector<share>& shares,
                     const std::set<app_pool>& waiting, const std::set<app_pool>& ready) {
    std::size_t left = most_retries;
    for (auto& part : shares) {
      if (waiting.count(part.dest) == 0)
        continue;
      const lane_pool place{lane_, part.dest.first, part.dest.second};
      if (state_.chunks_first.erase(place) != 0 && ready.count(part.dest) != 0) {
        has_passed_retries_ = true;
        continue;
      }
      for (auto& taken : retries.take(part.dest, std::min(left, (part.budget + 1) / 2))) {
        const auto targets = taken.retries.size();
        part.budget -= std::min(part.budget, targets);
        left -= std::min(left, targets);
        // An epoch of its own: with the job it is what the work's retries are found by.
        epoch_ = next_epoch(database_, state_);
        add(std::move(taken), part.dest);
      }
      if (part.budget == 0)
        state_.chunks_first.insert(place);
    }
  }

  // False if the database refuses these rows: others may do.
  template <class Write>
  bool spare_others(job_number job, Write write) {
    const auto error = try_statement(database_, write);
    if (!error)
      return true;
    jobs_.pass_by();
    spdlog::error("event=not_claimed job={} error={:?}", jobs_[job].id.to_string(), *error);
    return false;
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
    while (!jobs_.has_enough()) {
      const auto place = next_chunk(part);
      if (!place)
        return false;
      part.last = last_claimed(part.dest) = place->first;
      const auto& job = jobs_[place->first];
      if (!allows_chunk_claims(job.status)) {
        jobs_.pass_by();
        continue;
      }
      if (jobs_.is_paused(job, part.dest.second)) {
        std::size_t parked = 0;
        spare_others(place->first,
                     [&] { parked = park_chunks(database_, place->first, part.dest.second); });
        jobs_.note_parked(std::max<std::size_t>(1, parked));
        continue;
      }
      const auto targets = *database_.value("SELECT targets FROM chunks WHERE job = ? AND seq = ?",
                                            place->first, place->second);
      if (!lease_chunk(place->first, place->second))
        continue;
      part.budget -= std::min(part.budget, static_cast<std::size_t>(targets));
      part.claimed_since_wrap = true;
      shared_.ahead.note_claim(place->first, part.dest.second);
      claimed_work taken;
      taken.job = place->first;
      taken.key = {job.id, place->second};
      add(std::move(taken), part.dest);
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
    auto& known = jobs_[job];
    if (known.status != job_status::queued)
      return;
    database_.execute("UPDATE jobs SET status = 3 WHERE n = ? AND status = 2", job);
    known.status = job_status::in_progress;
  }

  void add(claimed_work taken, const app_pool& dest) {
    taken.epoch = epoch();
    taken.dest = destination_of(dest.first, dest.second);
    result_.works.push_back(std::move(taken));
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
  claim_jobs jobs_;
  timestamp expires_at_;
  std::uint64_t epoch_ = 0;
  bool has_passed_retries_ = false;
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
