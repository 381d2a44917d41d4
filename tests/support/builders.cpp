#include "tests/support/builders.hpp"

#include <utility>

namespace signalbox {

job_id job_number(std::uint64_t n) {
  job_id id;
  for (int i = 15; i >= 8; --i, n >>= 8)
    id.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(n);
  return id;
}

new_job topic_job(std::uint64_t n, std::string topic, timestamp at, std::string lane) {
  new_job job;
  job.id = job_number(n);
  job.lane = std::move(lane);
  job.scope.kind = scope_kind::topic;
  job.scope.name = std::move(topic);
  job.payload = R"({"title":"Hi"})";
  job.created_at = at;
  return job;
}

new_job token_job(std::uint64_t n, std::size_t count, timestamp at, const destination& dest,
                  std::string lane) {
  auto job = topic_job(n, {}, at, std::move(lane));
  job.scope.kind = scope_kind::tokens;
  for (std::size_t i = 0; i < count; ++i)
    job.scope.tokens.push_back(
      {dest.provider, dest.env, "token-" + std::to_string(n) + "-" + std::to_string(i)});
  return job;
}

work_builder& work_builder::seq(std::uint32_t seq) {
  made_.key.seq = seq;
  return *this;
}

work_builder& work_builder::to(const destination& dest) {
  made_.dest = dest;
  return *this;
}

work_builder& work_builder::targets(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    target made;
    made.index = static_cast<std::uint32_t>(made_.size());
    made.id = static_cast<token_id>(made_.key.seq) * 1'000 + made.index + 1;
    const auto text = "token-" + std::to_string(made.id);
    made.offset = static_cast<std::uint32_t>(made_.text.size());
    made.length = static_cast<std::uint16_t>(text.size());
    made_.text += text;
    made_.targets.push_back(made);
  }
  return *this;
}

work_builder& work_builder::skipped(std::size_t count, const std::string& reason) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto index = static_cast<std::uint32_t>(made_.size());
    made_.settled.push_back(
      {static_cast<token_id>(made_.key.seq) * 1'000 + index + 1, index, reason});
  }
  return *this;
}

work_builder& work_builder::lease_until(boot_clock::time_point deadline) {
  made_.lease_deadline = deadline;
  return *this;
}

work_builder& work_builder::expires_at(timestamp at) {
  options_.expires_at = at;
  return *this;
}

work_ptr work_builder::build() const {
  auto built = std::make_shared<work>(made_);
  auto context = std::make_shared<job_context>();
  context->id = built->key.job;
  context->options = options_;
  context->created_at = created_at_;
  built->job = std::move(context);
  built->epoch = 1;
  if (built->lease_deadline == boot_clock::time_point{})
    built->lease_deadline = boot_clock::time_point{std::chrono::hours{24 * 365}};
  return built;
}

} // namespace signalbox
