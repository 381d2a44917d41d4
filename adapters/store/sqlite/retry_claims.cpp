#include "adapters/store/sqlite/retry_claims.hpp"

#include "actors/job_states.hpp"
#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/due_retries.hpp"
#include "adapters/store/sqlite/savepoint.hpp"
#include "adapters/store/sqlite/turns.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace signalbox::sqlite {

namespace {

// Claims begin at the oldest pack again after so long at most.
constexpr std::chrono::milliseconds longest_round{500};
// One claim looks at so many jobs in turn.
constexpr std::size_t most_jobs_in_turn = 64;
// One claim puts off so many: where a provider answers nobody, each of thousands of activities has
// a device that is busy, and all are looked at again and again.
constexpr std::size_t most_put_off = 500;

} // namespace

std::set<app_pool> retry_claims::destinations() {
  auto dests = destinations_with_retries(database_, lane_);
  std::erase_if(dests, [this](const auto& dest) {
    return !has_due_retry(database_, shared_.retry_leases, place_of(dest), now_, cursor_of(dest));
  });
  return dests;
}

std::vector<claimed_work> retry_claims::take(const app_pool& dest, std::size_t limit) {
  auto found = find(dest, limit);
  for (const auto& pack : found.damaged)
    close(pack);
  for (auto& pack : found.busy)
    put_off(pack);
  for (const auto n : found.to_park)
    park(n);
  return works_of(std::move(found.free));
}

bool retry_claims::has_put_off_enough() const {
  return put_off_ >= most_put_off;
}

// Every so often from the oldest pack again, and when the clock was put back: nothing is left
// behind for longer.
retry_cursor& retry_claims::cursor_of(const app_pool& dest) {
  auto& cursor = state_.retry_cursors[place_of(dest)];
  if (now_ >= cursor.started_at + longest_round || now_ < cursor.started_at)
    cursor = {{}, 0, now_};
  return cursor;
}

retry_claims::found_packs retry_claims::find(const app_pool& dest, std::size_t limit) {
  found_packs found;
  const auto place = place_of(dest);
  if (const auto turn = state_.retry_turns.find(place); turn != state_.retry_turns.end())
    look_in_turn(place, turn->second, (limit + 1) / 2, found);
  look_by_age(dest, limit, found);
  if (found.leaves_behind)
    state_.retry_turns.try_emplace(place, 0);
  else
    state_.retry_turns.erase(place);
  return found;
}

// One lap at most.
void retry_claims::look_in_turn(const lane_pool& place, job_number& last, std::size_t limit,
                                found_packs& found) {
  const auto start = last;
  bool has_wrapped = false;
  for (std::size_t jobs = 0;
       jobs < most_jobs_in_turn && found.free_targets < limit && !jobs_.has_enough();) {
    const auto turn = next_turn(database_, shared_.retry_leases, place, now_, last);
    if (!turn && !has_wrapped) {
      has_wrapped = true;
      last = 0;
      continue;
    }
    if (!turn || (has_wrapped && turn->job > start))
      return;
    ++jobs;
    last = turn->job;
    if (!turn->due)
      continue;
    if (auto pack = read_pack(database_, *turn->due)) {
      found.in_turn.insert(pack->n);
      look_at(std::move(*pack), found);
    }
  }
}

void retry_claims::look_by_age(const app_pool& dest, std::size_t limit, found_packs& found) {
  auto& cursor = cursor_of(dest);
  const auto after = cursor;
  visit_due_packs(database_, shared_.retry_leases, place_of(dest), now_, after,
                  [&](const due_pack& due) {
                    found.leaves_behind =
                      found.free_targets >= limit || jobs_.has_enough() || has_put_off_enough();
                    if (found.leaves_behind)
                      return false;
                    if (!found.in_turn.contains(due.n))
                      if (auto pack = read_pack(database_, due.n))
                        look_at(std::move(*pack), found);
                    cursor = {due.run_at, due.n, after.started_at};
                    return true;
                  });
}

void retry_claims::look_at(retry_pack pack, found_packs& found) {
  auto& job = jobs_[pack.job];
  const bool is_over = !allows_retry_claims(job.status); // and somebody closes it
  if (is_over || jobs_.is_paused(job, std::get<pool_code>(pack.place))) {
    found.to_park.push_back(pack.n);
    jobs_.note_parked(1);
  } else if (pack.is_damaged) {
    found.damaged.push_back(std::move(pack));
    jobs_.pass_by();
  } else {
    if (job.is_dispatch)
      split_busy(job, pack, found.busy);
    found.free_targets += pack.entries.size();
    if (!pack.entries.empty())
      found.free.push_back(std::move(pack));
  }
}

// An older dispatch of its activity has requests to the same devices in flight.
void retry_claims::split_busy(claim_job& job, retry_pack& pack, std::vector<retry_pack>& busy) {
  const auto& tokens = busy_with(job, pack);
  const auto is_free = [&](const retry_entry& one) {
    return tokens && !std::binary_search(tokens->begin(), tokens->end(), one.token);
  };
  const auto first_busy = std::stable_partition(pack.entries.begin(), pack.entries.end(), is_free);
  if (first_busy == pack.entries.end())
    return;
  ++put_off_;
  auto& part = busy.emplace_back(pack);
  part.entries.assign(first_busy, pack.entries.end());
  pack.entries.erase(first_busy, pack.entries.end());
}

const std::optional<std::vector<token_id>>& retry_claims::busy_with(claim_job& job,
                                                                    const retry_pack& pack) {
  const auto pool = std::get<pool_code>(pack.place);
  const auto [known, is_new] = job.busy.try_emplace(pool);
  if (is_new)
    try {
      known->second = busy_tokens(database_, shared_.retry_leases, pack.job, pool);
    } catch (const failure& error) {
      if (!error.is_about_rows())
        throw;
      spdlog::error("event=order_unknown job={} error={:?}", job.id.to_string(), error.what());
    }
  return known->second;
}

void retry_claims::park(pack_number n) {
  if (const auto error = try_statement(database_, [&] { park_pack(database_, n); }))
    spdlog::error("event=not_parked pack={} error={:?}", n, *error);
}

// All of a row, or a part of it, which gets a row of its own.
void retry_claims::put_off(retry_pack& busy) {
  busy.run_at = now_ + next_look(database_, busy.job, now_);
  busy.written_at = now_;
  if (busy.entries.size() == busy.size)
    return postpone_pack(database_, busy.n, busy.run_at, busy.written_at);
  auto rest = *read_pack(database_, busy.n);
  std::erase_if(rest.entries, [&](const retry_entry& one) {
    return std::binary_search(busy.entries.begin(), busy.entries.end(), one,
                              [](const auto& a, const auto& b) { return a.token < b.token; });
  });
  rewrite_pack(database_, rest);
  insert_pack(database_, busy);
}

void retry_claims::close(const retry_pack& damaged) {
  if (const auto error = try_part(database_, [&] {
        close_damaged(database_, damaged, now_);
        try_complete(database_, damaged.job, now_);
      }))
    spdlog::error("event=damage_not_closed job_number={} pack={} error={:?}", damaged.job,
                  damaged.n, *error);
}

std::vector<claimed_work> retry_claims::works_of(std::vector<retry_pack> packs) {
  std::stable_sort(packs.begin(), packs.end(),
                   [](const auto& a, const auto& b) { return a.job < b.job; });
  std::vector<claimed_work> works;
  for (const auto& pack : packs) {
    if (works.empty() || works.back().job != pack.job) {
      auto& made = works.emplace_back();
      made.kind = work_kind::retry;
      made.job = pack.job;
      made.key = {jobs_[pack.job].id, pack.entries.front().seq};
    }
    for (const auto& one : pack.entries)
      works.back().retries.push_back({one, pack.n});
  }
  return works;
}

} // namespace signalbox::sqlite
