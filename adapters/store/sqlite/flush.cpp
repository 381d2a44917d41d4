#include "adapters/store/sqlite/flush.hpp"

#include "actors/done_bits.hpp"
#include "adapters/store/sqlite/activity_tokens.hpp"
#include "adapters/store/sqlite/clock.hpp"
#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/leased_packs.hpp"
#include "adapters/store/sqlite/letters.hpp"
#include "adapters/store/sqlite/pending_retries.hpp"
#include "adapters/store/sqlite/receipts.hpp"
#include "adapters/store/sqlite/savepoint.hpp"
#include "adapters/store/sqlite/tokens.hpp"
#include "adapters/store/sqlite/turns.hpp"
#include "messages/outcome.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <span>
#include <tuple>

namespace signalbox::sqlite {

namespace {

bool keeps_receipt(receipts_policy policy, outcome_status status) {
  switch (policy) {
  case receipts_policy::all:
    return status != outcome_status::retry;
  case receipts_policy::failures:
    return status != outcome_status::retry && status != outcome_status::accepted;
  default:
    return false;
  }
}

void count(job_counts& counts, outcome_status status) {
  switch (status) {
  case outcome_status::accepted:
    ++counts.accepted;
    break;
  case outcome_status::rejected:
    ++counts.rejected;
    break;
  case outcome_status::unknown:
    ++counts.unknown;
    break;
  case outcome_status::expired:
    ++counts.expired;
    break;
  case outcome_status::skipped:
    ++counts.skipped;
    break;
  case outcome_status::retry:
    break;
  }
}

using batch_refs = std::span<const outcome_batch* const>;

class flusher {
public:
  flusher(connection& database, shared_state& shared, writer_state& state,
          std::vector<pack_number>& ended, flush_result& result)
    : database_{database}, shared_{shared}, state_{state}, ended_{ended}, result_{result},
      now_{shared.now()} {}

  // All batches are of one work.
  void flush(batch_refs batches) {
    const auto& of = *batches.front()->of;
    const auto job = find_job(database_, state_, of.key.job);
    if (!job)
      return stale(batches);
    job_ = *job;
    shared_.changes.note_job(job_);
    if (of.kind == work_kind::chunk)
      flush_chunk(batches, of);
    else
      flush_retries(batches, of);
    receipts_.finish();
  }

  // What is to be retried of the works that were flushed.
  void write_retries() {
    retries_.write(database_, [this](const auto& one, const std::string& error) {
      note_fault(*one.of, one.entry.token, error);
      job_counts counts;
      counts.rejected = 1;
      count_retried(database_, one.job, counts);
      result_.finished_chunks_of.push_back(one.of->key.job);
    });
  }

  // Of works that are rolled back.
  void drop_pending() {
    retries_.clear();
    receipts_.clear();
  }

private:
  void stale(batch_refs batches) {
    for (const auto* batch : batches)
      result_.stale += batch->size();
  }

  void flush_chunk(batch_refs batches, const work& of) {
    if (flush_whole_chunk(batches, of))
      return;
    bool is_done = false;
    done_bits bits{0};
    {
      auto found = database_.query("SELECT status, targets, done, lane, app, pool FROM chunks "
                                   "WHERE job = ? AND seq = ? AND epoch = ? AND owner = ?",
                                   job_, of.key.seq, of.epoch, shared_.owner);
      if (!found.next())
        return stale(batches);
      is_done = found.as<chunk_status>(0) == chunk_status::done;
      if (!is_done)
        bits = done_bits{static_cast<std::size_t>(found.integer(1)), found.bytes(2)};
      place_ = {found.integer(3), found.integer(4), static_cast<pool_code>(found.integer(5))};
    }
    if (is_done) // a replay: every bit is set
      return;
    const auto before = bits.count();
    job_counts counts;
    cut_.reset();
    for (const auto* batch : batches) {
      for (const auto position : batch->accepted)
        if (position < of.targets.size() && bits.set(of.targets[position].index))
          accept(*batch, of.targets[position].id, counts);
      for (const auto& one : batch->others)
        if (bits.set(one.index))
          settle(*batch, one, {one.token, of.key.seq, one.index}, counts);
    }
    if (bits.count() == before)
      return;
    write_chunk(of, bits, counts);
    if (cut_)
      note_cut(database_, job_, std::get<pool_code>(place_), of.key.seq, *cut_);
    if (bits.all())
      result_.finished_chunks_of.push_back(of.key.job);
  }

  // A chunk that gets all its outcomes at once, as the one of a small job does: nothing of it needs
  // to be read, and if it is the only one of its job, the job is completed with it.
  bool flush_whole_chunk(batch_refs batches, const work& of) {
    const auto& batch = *batches.front();
    if (batches.size() > 1 || batch.accepted.size() != of.size() || !batch.others.empty())
      return false;
    if (database_.execute(
          "UPDATE chunks SET status = 3, accepted = targets, "
          "lease_expires_at = NULL, sent = NULL, ids = NULL "
          "WHERE job = ? AND seq = ? AND status = 2 AND epoch = ? AND owner = ? AND done IS NULL "
          "AND targets = ?",
          job_, of.key.seq, of.epoch, shared_.owner, batch.size()) == 0)
      return false;
    job_counts counts;
    for (const auto& target : of.targets)
      accept(batch, target.id, counts);
    if (of.job->activity ||
        database_.execute("UPDATE jobs SET status = ?, completed_at = ?, accepted = planned "
                          "WHERE n = ? AND status = ? AND plan_done = 1 AND next_seq = 1 "
                          "AND completed_at IS NULL",
                          job_status::completed, now_, job_, job_status::in_progress) == 0)
      result_.finished_chunks_of.push_back(of.key.job);
    else
      result_.completed.push_back(of.key.job);
    return true;
  }

  void accept(const outcome_batch& batch, token_id token, job_counts& counts) {
    ++counts.accepted;
    if (binds(batch))
      spare_others(batch, token, [&] { bind_token(database_, job_, token); });
    if (keeps_receipt(batch.of->job->options.receipts, outcome_status::accepted))
      spare_others(batch, token,
                   [&] { note_receipt(batch, token, outcome_status::accepted, {}, {}); });
  }

  // A start at FCM makes the device one of the activity's when it is taken.
  static bool binds(const outcome_batch& batch) {
    const auto& event = batch.of->job->activity;
    return event && event->action == activity_action::start &&
           batch.of->dest.provider == platform::fcm;
  }

  // An outcome that counts: a new bit, or a retry that left its pack.
  void settle(const outcome_batch& batch, const outcome& one, retry_entry entry,
              job_counts& counts) {
    spare_others(batch, one.token, [&] { write_rows(batch, one); });
    if (one.status == outcome_status::retry)
      retry(batch, one, entry);
    else
      count(counts, one.status);
    if (!batch.of->job->activity || one.reason != "superseded")
      return;
    cut_ = std::min(cut_.value_or(one.token), one.token);
    if (binds(batch)) // what is newer for the device has taken the start's place
      spare_others(batch, one.token, [&] { bind_token(database_, job_, one.token); });
  }

  // An attempt may have been refunded since the work was loaded.
  static std::uint16_t attempts_after(const work& of, const outcome& one,
                                      const retry_entry& entry) {
    if (of.kind == work_kind::chunk)
      return one.attempts;
    auto loaded = std::lower_bound(of.targets.begin(), of.targets.end(), entry.position,
                                   [](const auto& a, auto index) { return a.index < index; });
    while (loaded != of.targets.end() && loaded->index == entry.position && loaded->id != one.token)
      ++loaded;
    if (loaded == of.targets.end() || loaded->id != one.token || one.attempts < loaded->attempts)
      return one.attempts;
    return static_cast<std::uint16_t>(
      std::min<unsigned>(entry.attempts + (one.attempts - loaded->attempts), UINT16_MAX));
  }

  void retry(const outcome_batch& batch, const outcome& one, retry_entry entry) {
    entry.attempts = attempts_after(*batch.of, one, entry);
    entry.is_sent = false;
    const auto run_at = run_at_of(batch, one);
    retries_.add({job_, place_, run_at, std::min(batch.at, now_), entry, batch.of.get()});
    if (run_at <= now_) // it may lie behind the place where claims go on
      state_.retry_cursors.clear();
  }

  // A statement that fails changes nothing, and the transaction goes on.
  template <class Write>
  void spare_others(const outcome_batch& batch, token_id token, Write write) {
    try {
      write();
    } catch (const failure& error) {
      if (!error.is_about_rows() || !database_.in_transaction())
        throw;
      note_fault(*batch.of, token, error.what());
    }
  }

  void note_fault(const work& of, token_id token, std::string_view error) {
    ++result_.faulty;
    spdlog::error("event=outcome_not_stored job={} seq={} token_id={} error={:?}",
                  of.key.job.to_string(), of.key.seq, token, error);
  }

  void write_rows(const outcome_batch& batch, const outcome& one) {
    if (one.dead_letter && !batch.of->job->activity) // what is late is replaced, and not replayed
      write_letter(database_, {job_, batch.of->key.seq, one.token, one.attempts, "max_attempts",
                               one.reason, batch.at});
    if (keeps_receipt(batch.of->job->options.receipts, one.status))
      note_receipt(batch, one.token, one.status, one.reason, one.unique_id);
    invalidate(batch, one);
  }

  // The clock may have been put back since the answer came.
  timestamp run_at_of(const outcome_batch& batch, const outcome& one) const {
    return batch.at > now_ + clock_tolerance ? now_ + (one.retry_at - batch.at) : one.retry_at;
  }

  void invalidate(const outcome_batch& batch, const outcome& one) {
    if (one.invalidate == invalidation::none)
      return;
    const auto valid_until = one.invalidate == invalidation::unregistered
                               ? one.unregistered_at.value_or(batch.at)
                               : batch.at;
    if (invalidate_token(database_, one.token, one.reason, batch.at, valid_until))
      ++result_.invalidated;
  }

  void note_receipt(const outcome_batch& batch, token_id token, outcome_status status,
                    std::string_view reason, std::string_view unique_id) {
    const auto& dest = batch.of->dest;
    receipts_.write(job_, token, status, reason, batch.at, pool_of(dest.provider, dest.env),
                    unique_id);
  }

  void write_chunk(const work& of, const done_bits& bits, const job_counts& counts) {
    if (bits.all())
      database_.execute("UPDATE chunks SET status = 3, accepted = accepted + ?, "
                        "rejected = rejected + ?, unknown = unknown + ?, expired = expired + ?, "
                        "skipped = skipped + ?, lease_expires_at = NULL, done = NULL, sent = NULL, "
                        "ids = NULL "
                        "WHERE job = ? AND seq = ?",
                        counts.accepted, counts.rejected, counts.unknown, counts.expired,
                        counts.skipped, job_, of.key.seq);
    else
      database_.execute("UPDATE chunks SET accepted = accepted + ?, rejected = rejected + ?, "
                        "unknown = unknown + ?, expired = expired + ?, skipped = skipped + ?, "
                        "expiries = 0, done = ? WHERE job = ? AND seq = ?",
                        counts.accepted, counts.rejected, counts.unknown, counts.expired,
                        counts.skipped, blob{bits.bytes()}, job_, of.key.seq);
  }

  void flush_retries(batch_refs batches, const work& of) {
    leased_packs packs{database_, shared_.retry_leases, job_, of.epoch};
    job_counts counts;
    for (const auto* batch : batches) {
      for (const auto position : batch->accepted)
        if (position < of.targets.size() && take(packs, of.targets[position].id))
          accept(*batch, of.targets[position].id, counts);
      for (const auto& one : batch->others)
        if (const auto entry = take(packs, one.token))
          settle(*batch, one, *entry, counts);
    }
    packs.write(ended_);
    if (counts.finished() == 0)
      return;
    count_retried(database_, job_, counts);
    result_.finished_chunks_of.push_back(of.key.job);
  }

  // Nothing if the retry is not this work's any more.
  std::optional<retry_entry> take(leased_packs& packs, token_id token) {
    auto entry = packs.take(token);
    if (entry)
      place_ = packs.place();
    else
      ++result_.stale;
    return entry;
  }

  connection& database_;
  shared_state& shared_;
  writer_state& state_;
  std::vector<pack_number>& ended_;
  std::optional<token_id> cut_; ///< the first that an update did not get to
  flush_result& result_;
  timestamp now_;
  job_number job_ = 0;
  lane_pool place_; ///< of the work
  pending_retries retries_;
  receipt_writer receipts_{database_};
};

} // namespace

flush_result flush_outcomes(connection& database, shared_state& shared, writer_state& state,
                            const std::vector<outcome_batch>& batches,
                            std::vector<pack_number>& ended, bool one_by_one) {
  std::vector<const outcome_batch*> order;
  order.reserve(batches.size());
  for (const auto& batch : batches)
    if (batch.of)
      order.push_back(&batch);
  const auto place = [](const outcome_batch* batch) {
    return std::tie(batch->of->key, batch->of->epoch, batch->of->kind);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](const auto* a, const auto* b) { return place(a) < place(b); });
  flush_result result;
  flusher flusher{database, shared, state, ended, result};
  for (auto begin = order.begin(); begin != order.end();) {
    const auto end = std::find_if(begin, order.end(),
                                  [&](const auto* batch) { return place(batch) != place(*begin); });
    const batch_refs of_one_work{begin, end};
    const auto ended_before = ended.size();
    if (!one_by_one)
      flusher.flush(of_one_work);
    else if (const auto error = try_part(database, [&] {
               flusher.flush(of_one_work);
               flusher.write_retries();
             })) {
      flusher.drop_pending();
      ended.resize(ended_before);
      const auto& of = *(*begin)->of;
      spdlog::error("event=outcomes_not_stored job={} seq={} error={:?}", of.key.job.to_string(),
                    of.key.seq, *error);
      for (const auto* batch : of_one_work)
        result.faulty += batch->size();
    }
    begin = end;
  }
  flusher.write_retries();
  for (const auto& batch : batches)
    for (const auto& each : batch.late)
      if (invalidate_token(database, each.token, each.reason, each.at, each.at))
        ++result.invalidated;
  auto& jobs = result.finished_chunks_of;
  std::sort(jobs.begin(), jobs.end());
  jobs.erase(std::unique(jobs.begin(), jobs.end()), jobs.end());
  return result;
}

} // namespace signalbox::sqlite
