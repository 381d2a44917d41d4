#include "adapters/store/sqlite/letters.hpp"

#include <optional>

namespace signalbox::sqlite {

void write_letter(connection& database, const new_letter& letter) {
  database.execute("INSERT INTO dead_letters(job, token, app, lane, pool, attempts, reason, "
                   "last_error, dead_lettered_at) SELECT job, ?, app, lane, pool, ?, ?, ?, ? "
                   "FROM chunks WHERE job = ? AND seq = ?",
                   letter.token, letter.attempts, letter.reason,
                   letter.last_error.empty() ? std::nullopt : std::optional{letter.last_error},
                   letter.at, letter.job, letter.seq);
}

} // namespace signalbox::sqlite
