#include "adapters/store/sqlite/letters.hpp"

#include <optional>

namespace signalbox::sqlite {

namespace {

std::optional<std::string_view> error_of(const new_letter& letter) {
  return letter.last_error.empty() ? std::nullopt : std::optional{letter.last_error};
}

} // namespace

void write_letter(connection& database, const new_letter& letter) {
  database.execute("INSERT INTO dead_letters(job, token, app, lane, pool, attempts, reason, "
                   "last_error, dead_lettered_at) SELECT job, ?, app, lane, pool, ?, ?, ?, ? "
                   "FROM chunks WHERE job = ? AND seq = ?",
                   letter.token, letter.attempts, letter.reason, error_of(letter), letter.at,
                   letter.job, letter.seq);
}

void write_letter(connection& database, const new_letter& letter, const lane_pool& place) {
  const auto& [lane, app, pool] = place;
  database.execute("INSERT INTO dead_letters(job, token, app, lane, pool, attempts, reason, "
                   "last_error, dead_lettered_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   letter.job, letter.token, app, lane, pool, letter.attempts, letter.reason,
                   error_of(letter), letter.at);
}

} // namespace signalbox::sqlite
