#include "adapters/store/sqlite/open_chunk.hpp"

#include "actors/done_bits.hpp"
#include "actors/target_list.hpp"
#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/letters.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace signalbox::sqlite {

std::optional<std::vector<open_target>> open_targets(const rows& chunk) {
  const auto ids = decode_targets(chunk.bytes(0));
  const auto size = static_cast<std::size_t>(chunk.integer(1));
  if (!ids || ids->size() != size)
    return std::nullopt;
  const done_bits done{size, chunk.bytes(2)};
  const done_bits sent{size, chunk.bytes(3)};
  std::vector<open_target> open;
  open.reserve(done.missing());
  for (std::size_t i = 0; i < size; ++i)
    if (!done.test(i))
      open.push_back({(*ids)[i], static_cast<std::uint32_t>(i), sent.test(i)});
  return open;
}

void close_damaged(connection& database, job_number job, std::uint32_t seq, timestamp now) {
  std::size_t left = 0;
  {
    auto found = database.query(
      "SELECT targets, done FROM chunks WHERE job = ? AND seq = ? AND status <> 3", job, seq);
    if (!found.next())
      return;
    left = done_bits{static_cast<std::size_t>(found.integer(0)), found.bytes(1)}.missing();
  }
  spdlog::error("event=chunk_damaged job_number={} seq={} targets={}", job, seq, left);
  write_letter(database, {job, seq, 0, 0, "corrupt", "the target list is damaged", now});
  database.execute("UPDATE chunks SET status = 3, rejected = rejected + ?, owner = NULL, "
                   "epoch = NULL, lease_expires_at = NULL, done = NULL, sent = NULL, ids = NULL "
                   "WHERE job = ? AND seq = ?",
                   left, job, seq);
  try_complete(database, job, now);
}

} // namespace signalbox::sqlite
