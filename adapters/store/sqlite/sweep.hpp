#pragma once

#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/ledger_state.hpp"
#include "messages/ledger.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace signalbox::sqlite {

/// One bounded pass of a lane's sweeper, a step for each kind of work: what a put-back clock left,
/// scheduled jobs that are due, QUEUED jobs past their deadline, leases that ended, what no pause
/// covers any more, ended jobs to close, paused ones that are late, completions that were missed,
/// what is old enough to go; then a look for what is left to others.
///
/// Each step is a transaction of its own and works oldest first. A row that the database refuses is
/// set aside: counted in `faulty`, logged, its job FAILED where that is possible and else left
/// alone until the next start.
class sweep_pass {
public:
  sweep_pass(shared_state& shared, writer_state& state, sweep_request request);

  bool is_done() const { return step_ == step_count; }
  /// Runs the next step, in the writer's transaction.
  void run(connection& database);
  /// After the transaction: takes the step's result, or drops it. False if the pass cannot go on:
  /// the database itself does not work.
  bool finish_step(errc code, const std::string& message);
  const sweep_result& result() const { return result_; }

private:
  static constexpr std::size_t step_count = 9;

  void follow_time(connection& database);
  void release_due(connection& database);
  void expire_late(connection& database);
  void end_leases(connection& database);
  void unpark(connection& database);
  void close_ended(connection& database);
  void complete_missed(connection& database);
  void delete_old_rows(connection& database);
  void look_for_work(connection& database);

  /// How many were worked on.
  template <class Work>
  std::size_t each(connection& database, const std::vector<job_number>& jobs, Work work);
  bool is_held(connection& database, job_number job) const; ///< by a pause
  /// Slices of each until it has no more.
  using close_one = closed_slice (*)(connection&, const retry_leases&, job_number, timestamp);
  void close_each(connection& database, const std::vector<job_number>& jobs, close_one close);
  void set_aside(connection& database, job_number job, const std::string& error);
  bool is_over() const;

  shared_state& shared_;
  writer_state& state_;
  sweep_request request_;
  lane_number lane_ = 0;
  timestamp now_;
  std::size_t step_ = 0;
  std::chrono::steady_clock::duration worked_{0};
  std::chrono::steady_clock::time_point step_end_;
  sweep_result result_;
  sweep_result step_result_; ///< with what the running step adds
};

} // namespace signalbox::sqlite
