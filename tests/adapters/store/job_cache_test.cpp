#include "adapters/store/sqlite/job_cache.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace signalbox::sqlite {
namespace {

job_facts facts_of(std::size_t bytes) {
  auto context = std::make_shared<job_context>();
  context->payload = std::string(bytes, 'x');
  job_facts facts;
  facts.context = std::move(context);
  return facts;
}

/// How many of `count` jobs with payloads of so many bytes are still there.
std::size_t kept(std::size_t count, std::size_t bytes) {
  job_facts_cache cache;
  for (std::size_t n = 0; n < count; ++n)
    cache.put(static_cast<job_number>(n), facts_of(bytes));
  std::size_t found = 0;
  for (std::size_t n = 0; n < count; ++n)
    // The last ones first: a look-up makes others leave.
    found += cache.find(static_cast<job_number>(count - 1 - n)) ? 1 : 0;
  return found;
}

TEST(job_cache, holds_bytes_and_not_only_jobs) {
  constexpr std::size_t large = 64 * 1024;
  EXPECT_LE(kept(1'000, large) * large, job_facts_cache::capacity_bytes);
  EXPECT_GE(kept(1'000, large), job_facts_cache::capacity_bytes / large / 2);
}

TEST(job_cache, holds_so_many_small_jobs) {
  EXPECT_LE(kept(2'000, 100), job_facts_cache::capacity_jobs);
  EXPECT_GE(kept(2'000, 100), job_facts_cache::capacity_jobs / 2);
}

} // namespace
} // namespace signalbox::sqlite
