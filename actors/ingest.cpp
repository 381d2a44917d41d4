#include "actors/ingest.hpp"

#include <algorithm>
#include <utility>

namespace signalbox {

ingest_actor::ingest_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
                           std::string lane, std::size_t credit)
  : bounded(cfg, std::move(mailbox)), lane_(std::move(lane)), full_credit_(credit),
    credit_(credit) {}

ingest_actor::behavior_type ingest_actor::make_behavior() {
  return {
    [this](accept_jobs& arrived) { accept(arrived); },
    [this](const jobs_taken& taken) {
      // Never more than all of it: what was taken from a former ingest counts for this one, too.
      credit_ = std::min(full_credit_, credit_ + taken.count);
      pump();
    },
    [this](const peers_changed& change) { change_peers(*change.peers); },
    [this](const drain&) {
      draining_ = true;
      drain_promise_ = make_response_promise<drained>();
      finish_drain();
      return drain_promise_;
    },
  };
}

void ingest_actor::on_exit() {
  group_ = nullptr;
  waiting_.clear();
}

std::int64_t ingest_actor::places_of(const caf::mailbox_element& element) const {
  if (const auto& content = element.content(); content.match_elements<accept_jobs>())
    return static_cast<std::int64_t>(content.get_as<accept_jobs>(0).jobs.size());
  return 1;
}

void ingest_actor::accept(accept_jobs& arrived) {
  if (draining_)
    return;
  std::move(arrived.jobs.begin(), arrived.jobs.end(), std::back_inserter(waiting_));
  hold(static_cast<std::int64_t>(arrived.jobs.size()));
  pump();
}

void ingest_actor::change_peers(const lane_peers& peers) {
  if (peers.group == group_)
    return;
  // What the former committer had not answered was answered 503 when it went.
  group_ = peers.group;
  credit_ = full_credit_;
  pump();
}

void ingest_actor::pump() {
  if (!group_ || credit_ == 0 || waiting_.empty())
    return;
  submit_jobs batch;
  batch.lane = lane_;
  while (credit_ > 0 && !waiting_.empty()) {
    batch.jobs.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    --credit_;
  }
  let_go(static_cast<std::int64_t>(batch.jobs.size()));
  send_urgent(this, group_, std::move(batch));
  finish_drain();
}

void ingest_actor::finish_drain() {
  if (draining_ && waiting_.empty() && drain_promise_.pending())
    drain_promise_.deliver(drained{});
}

} // namespace signalbox
