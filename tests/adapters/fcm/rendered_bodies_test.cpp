#include "adapters/fcm/rendered_bodies.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

constexpr timestamp now{1'700'000'000s};

job_context job_with_body(std::size_t bytes) {
  job_context job;
  job.id = make_uuid_v7(now);
  job.created_at = now;
  job.payload = R"({"body":")" + std::string(bytes, 'x') + R"("})";
  return job;
}

TEST(rendered_bodies, render_a_job_once_and_the_oldest_is_forgotten) {
  rendered_bodies bodies{"", 2};
  const auto a = job_with_body(1);
  const auto b = job_with_body(1);
  const auto first = bodies.get(a, now);
  EXPECT_EQ(bodies.get(a, now), first);
  const auto second = bodies.get(b, now);
  bodies.get(a, now);
  bodies.get(job_with_body(1), now);
  EXPECT_EQ(bodies.get(a, now), first);
  EXPECT_NE(bodies.get(b, now), second);
}

TEST(rendered_bodies, what_is_kept_is_bounded_in_bytes) {
  rendered_bodies bodies{"", 10'000};
  const auto render = [&] {
    return std::weak_ptr<const rendered_body>{bodies.get(job_with_body(4'000), now)};
  };
  const auto first = render();
  EXPECT_FALSE(first.expired());
  for (std::size_t bytes = 0; bytes < rendered_bodies::capacity_bytes / 2; bytes += 4'000)
    render();
  EXPECT_FALSE(first.expired()) << "less than the bound";
  for (std::size_t bytes = 0; bytes < rendered_bodies::capacity_bytes / 2; bytes += 4'000)
    render();
  EXPECT_TRUE(first.expired());
}

TEST(rendered_bodies, what_a_ttl_replaces_counts_no_more) {
  rendered_bodies bodies{"", 10'000};
  const auto small = bodies.get(job_with_body(1), now);
  auto job = job_with_body(4'000);
  job.options.ttl = 10'000s;
  for (auto passed = 0s; passed < 1'000s; ++passed)
    bodies.get(job, now + passed);
  EXPECT_EQ(small.use_count(), 2) << "another job was forgotten for it";
}

TEST(rendered_bodies, one_that_is_larger_than_the_bound_is_kept_alone) {
  rendered_bodies bodies{""};
  const auto job = job_with_body(rendered_bodies::capacity_bytes + 1);
  const auto made = bodies.get(job, now);
  EXPECT_EQ(bodies.get(job, now), made);
}

} // namespace
} // namespace signalbox
