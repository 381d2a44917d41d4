#pragma once

#include "messages/protocol.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace signalbox {

/// What clients heard, by job.
struct reply_log {
  struct entry {
    std::optional<job_status> accepted;
    std::optional<errc> refused; ///< unavailable when the reply was destroyed without a call
    int calls = 0;
  };
  std::map<job_id, entry> by_job;

  bool was_accepted(const job_id& job) const {
    const auto found = by_job.find(job);
    return found != by_job.end() && found->second.accepted.has_value();
  }
  std::optional<errc> refusal(const job_id& job) const {
    const auto found = by_job.find(job);
    return found == by_job.end() ? std::nullopt : found->second.refused;
  }
  std::size_t answered() const { return by_job.size(); }
};

/// Notes what became of one job, also that nobody said.
class fake_reply : public job_reply {
public:
  fake_reply(std::shared_ptr<reply_log> log, const job_id& job) : log_(std::move(log)), job_(job) {}

  ~fake_reply() override {
    if (!called_)
      note().refused = errc::unavailable;
  }

  void accepted(const job_id&, const commit_result& outcome) override {
    called_ = true;
    note().accepted = outcome.status;
  }
  void refused(errc code, const std::string&) override {
    called_ = true;
    note().refused = code;
  }

private:
  reply_log::entry& note() {
    auto& entry = log_->by_job[job_];
    ++entry.calls;
    return entry;
  }

  std::shared_ptr<reply_log> log_;
  job_id job_;
  bool called_ = false;
};

/// A job as the HTTP adapter hands it over.
inline accept_job accepted_job(new_job job, const std::shared_ptr<reply_log>& log) {
  auto reply = std::make_shared<fake_reply>(log, job.id);
  return {std::move(job), std::move(reply)};
}

} // namespace signalbox
