#include "adapters/store/sqlite/pending_retries.hpp"

#include <algorithm>
#include <tuple>

namespace signalbox::sqlite {

namespace {

constexpr std::chrono::milliseconds grid{100};

auto bucket_of(const pending_retries::pending& one) {
  return one.run_at.time_since_epoch() / grid;
}

bool is_before(const pending_retries::pending& a, const pending_retries::pending& b) {
  const auto bucket_a = bucket_of(a);
  const auto bucket_b = bucket_of(b);
  return std::tie(a.job, a.place, bucket_a, a.entry.token) <
         std::tie(b.job, b.place, bucket_b, b.entry.token);
}

bool go_together(const pending_retries::pending& a, const pending_retries::pending& b) {
  return a.job == b.job && a.place == b.place && bucket_of(a) == bucket_of(b);
}

} // namespace

void pending_retries::write(connection& database,
                            const std::function<void(const pending&, const std::string&)>& lost) {
  std::sort(list_.begin(), list_.end(), is_before);
  for (auto begin = list_.cbegin(); begin != list_.cend();) {
    auto end = begin + 1;
    // A token once in a pack: its place there is found by it.
    while (end != list_.cend() && static_cast<std::size_t>(end - begin) < most_in_pack &&
           go_together(*begin, *end) && (end - 1)->entry.token != end->entry.token)
      ++end;
    write_pack(database, begin, end, lost);
    begin = end;
  }
  list_.clear();
}

// A statement that fails changes nothing, and the transaction goes on.
void pending_retries::write_pack(
  connection& database, range begin, range end,
  const std::function<void(const pending&, const std::string&)>& lost) {
  retry_pack pack;
  pack.job = begin->job;
  pack.place = begin->place;
  pack.run_at = begin->run_at;
  pack.written_at = begin->written_at;
  pack.entries.reserve(static_cast<std::size_t>(end - begin));
  for (auto one = begin; one != end; ++one) {
    pack.run_at = std::max(pack.run_at, one->run_at);
    pack.written_at = std::min(pack.written_at, one->written_at);
    pack.entries.push_back(one->entry);
  }
  try {
    insert_pack(database, pack);
  } catch (const failure& error) {
    if (!error.is_about_rows() || !database.in_transaction())
      throw;
    if (end - begin == 1)
      return lost(*begin, error.what());
    for (auto one = begin; one != end; ++one)
      write_pack(database, one, one + 1, lost);
  }
}

} // namespace signalbox::sqlite
