#pragma once

#include "actors/ports/dead_letters.hpp"
#include "adapters/store/sqlite/ledger_state.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace signalbox::sqlite {

/// A call replays so many letters at most, and deletes half of that.
inline constexpr std::size_t most_replayed = 10'000;
inline constexpr std::size_t most_deleted = 5'000;

result<page_of<dead_letter_view>> read_letters(connection& database, shared_state& shared,
                                               const dead_letter_filter& filter,
                                               const page_request& page);

struct letter_ref {
  std::int64_t id = 0;
  job_number job = 0;
  token_id token = 0;
  pool_code pool = 0;
};

struct found_letters {
  std::vector<letter_ref> letters; ///< oldest first
  bool more = false;
};

/// Letters that can be replayed and were not. On a reader.
found_letters letters_to_replay(connection& database, shared_state& shared,
                                const dead_letter_filter& filter);
/// Letters, replayed or not. On a reader.
found_letters letters_to_delete(connection& database, shared_state& shared,
                                const dead_letter_filter& filter);

/// What a replay of these would make. On a reader.
replay_result count_replay(connection& database, const found_letters& found);

/// Makes a job, already planned, of each job's letters that nobody has replayed since, and marks
/// them with it: in the writer's transaction.
replay_result write_replay(connection& database, shared_state& shared, writer_state& state,
                           const found_letters& found);

/// How many still existed; in the writer's transaction.
std::int64_t delete_letters(connection& database, const found_letters& found);

} // namespace signalbox::sqlite
