// The steps of the suite, and the stores it runs on.

#include "tests/contract/store_contract.hpp"

#include <algorithm>
#include <atomic>

namespace signalbox::contract {

INSTANTIATE_TEST_SUITE_P(stores, store_contract, testing::ValuesIn(store_kinds()),
                         [](const auto& info) { return info.param.name; });

store_session::store_session(const store_kind& kind)
  : database_{kind.make()}, now_{std::make_shared<std::atomic<timestamp>>(
                              timestamp{std::chrono::milliseconds{1'760'000'000'123}})},
    fails_{std::make_shared<std::atomic<bool>>(false)} {
  open();
}

void store_session::open() {
  store_ = database_->open(
    {[now = now_] { return now->load(); }, [fails = fails_] { return fails->load(); }});
}

void store_session::reopen() {
  store_->close();
  crash_and_reopen();
}

void store_session::crash_and_reopen() {
  store_.reset();
  open();
}

result<registration_result> store_session::add_tokens(std::vector<token_registration> tokens) {
  return await<registration_result>([&](auto done) {
    store().users().register_tokens(default_app, std::move(tokens), std::move(done));
  });
}

void store_session::add_token(const std::string& user, const std::string& token,
                              std::vector<std::string> topics, destination where) {
  ASSERT_TRUE(add_tokens({{user, where.provider, where.env, token, std::move(topics)}}).ok());
}

void store_session::add_subscribers(const std::string& topic, int count, const std::string& prefix,
                                    destination where) {
  std::vector<token_registration> tokens;
  for (int i = 0; i < count; ++i) {
    const auto number = prefix + std::to_string(i);
    tokens.push_back({"u" + number, where.provider, where.env, "t" + number, {topic}});
  }
  const auto added = add_tokens(std::move(tokens));
  ASSERT_TRUE(added.ok()) << added.message;
}

new_job store_session::topic_job(const std::string& topic) const {
  new_job job;
  job.id = make_uuid_v7(now());
  job.lane = "push";
  job.scope = {scope_kind::topic, topic, {}, {}};
  job.payload = R"({"title":"Hello"})";
  job.created_at = now();
  return job;
}

new_job store_session::user_job(const std::string& user) const {
  auto job = topic_job({});
  job.scope = {scope_kind::user, user, {}, {}};
  return job;
}

new_job store_session::users_job(std::vector<std::string> users) const {
  auto job = topic_job({});
  job.scope = {scope_kind::users, {}, std::move(users), {}};
  return job;
}

new_job store_session::tokens_job(std::vector<inline_token> tokens) const {
  auto job = topic_job({});
  job.scope = {scope_kind::tokens, {}, {}, std::move(tokens)};
  return job;
}

commit_result store_session::commit(new_job job, bool take) {
  auto answer = await<std::vector<commit_result>>([&](auto done) {
    store().jobs().commit_jobs({{std::move(job), take}}, lease, std::move(done));
  });
  if (!answer.ok())
    return {answer.code, answer.message, {}, {}, {}};
  return answer.value.at(0);
}

std::size_t store_session::plan_all(std::size_t chunk_size) {
  std::size_t chunks = 0;
  for (;;) {
    const auto step = await<plan_result>(
      [&](auto done) { store().jobs().plan("push", chunk_size, std::move(done)); });
    EXPECT_TRUE(step.ok()) << step.message;
    chunks += step.value.chunks;
    if (!step.ok() || (step.value.chunks == 0 && !step.value.more))
      return chunks;
  }
}

claim_result store_session::claim(std::vector<claim_budget> budgets, std::size_t max_chunks) {
  auto answer = await<claim_result>([&](auto done) {
    store().jobs().claim({"push", std::move(budgets), max_chunks, lease}, std::move(done));
  });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return std::move(answer.value);
}

claim_result store_session::claim_all() {
  return claim({{apns, 1'000'000}, {sandbox, 1'000'000}, {fcm, 1'000'000}}, 10'000);
}

flush_result store_session::flush(std::vector<outcome_batch> batches) {
  auto answer = await<flush_result>(
    [&](auto done) { store().jobs().flush(std::move(batches), std::move(done)); });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return std::move(answer.value);
}

std::vector<job_id> store_session::complete(std::vector<job_id> jobs) {
  auto answer = await<std::vector<job_id>>(
    [&](auto done) { store().jobs().complete(std::move(jobs), std::move(done)); });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return std::move(answer.value);
}

sweep_result store_session::sweep(std::size_t limit) {
  auto answer = await<sweep_result>([&](auto done) {
    store().jobs().sweep({"push", limit}, std::move(done));
  });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return answer.value;
}

result<job_view> store_session::get(const job_id& id) {
  return await<job_view>(
    [&](auto done) { store().reader().get_job(default_app, id, std::move(done)); });
}

job_view store_session::view(const job_id& id) {
  auto answer = get(id);
  EXPECT_TRUE(answer.ok()) << answer.message;
  return std::move(answer.value);
}

result<job_view> store_session::cancel(const job_id& id) {
  return await<job_view>(
    [&](auto done) { store().reader().cancel_job(default_app, id, std::move(done)); });
}

work_ptr store_session::reload(const work_ptr& work) {
  auto answer =
    await<work_ptr>([&](auto done) { store().jobs().reload(lease_of(work), std::move(done)); });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return std::move(answer.value);
}

renewal store_session::renew(const std::vector<work_ptr>& works) {
  std::vector<lease_ref> leases;
  for (const auto& work : works)
    leases.push_back(lease_of(work));
  auto answer =
    await<renewal>([&](auto done) { store().jobs().renew(leases, lease, std::move(done)); });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return std::move(answer.value);
}

void store_session::release(const std::vector<work_ptr>& works) {
  std::vector<lease_ref> leases;
  for (const auto& work : works)
    leases.push_back(lease_of(work));
  EXPECT_TRUE(
    await<unit>([&](auto done) { store().jobs().release(leases, std::move(done)); }).ok());
}

std::vector<bool> store_session::mark_sent(std::vector<sent_mark> marks) {
  auto answer = await<std::vector<bool>>(
    [&](auto done) { store().jobs().mark_sent(std::move(marks), std::move(done)); });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return std::move(answer.value);
}

void store_session::refund(std::vector<retry_ref> retries) {
  EXPECT_TRUE(await<unit>([&](auto done) {
                store().jobs().refund(std::move(retries), std::move(done));
              }).ok());
}

backlog store_session::measure() {
  auto answer = await<backlog>([&](auto done) { store().jobs().measure("push", std::move(done)); });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return answer.value;
}

pause_view store_session::pause(work_rule rule, const std::string& reason) {
  auto answer = await<pause_view>(
    [&](auto done) { store().control().pause(std::move(rule), reason, std::move(done)); });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return std::move(answer.value);
}

errc store_session::resume(std::int64_t pause) {
  return await<unit>([&](auto done) { store().control().resume(pause, std::move(done)); }).code;
}

std::vector<pause_view> store_session::pauses() {
  auto answer = await<page_of<pause_view>>([&](auto done) {
    store().control().list_pauses({{}, 200}, std::move(done));
  });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return std::move(answer.value.items);
}

cancel_result store_session::cancel_jobs(work_rule rule, std::optional<timestamp> created_before) {
  auto answer = await<cancel_result>([&](auto done) {
    store().control().cancel_jobs(std::move(rule), created_before, std::move(done));
  });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return std::move(answer.value);
}

std::vector<dead_letter_view> store_session::dead_letters(dead_letter_filter filter) {
  std::vector<dead_letter_view> all;
  page_request page{{}, 100'000};
  do {
    auto answer = await<page_of<dead_letter_view>>(
      [&](auto done) { store().office().list_dead_letters(filter, page, std::move(done)); });
    EXPECT_TRUE(answer.ok()) << answer.message;
    for (auto& one : answer.value.items)
      all.push_back(std::move(one));
    page.after = answer.value.next;
  } while (!page.after.empty());
  return all;
}

replay_result store_session::replay(dead_letter_filter filter, bool dry_run) {
  auto answer = await<replay_result>([&](auto done) {
    store().office().replay_dead_letters(std::move(filter), dry_run, std::move(done));
  });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return std::move(answer.value);
}

dead_letter_count store_session::delete_dead_letters(dead_letter_filter filter) {
  auto answer = await<dead_letter_count>(
    [&](auto done) { store().office().delete_dead_letters(std::move(filter), std::move(done)); });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return answer.value;
}

std::vector<receipt_view> store_session::receipts(const job_id& id) {
  auto answer = await<page_of<receipt_view>>([&](auto done) {
    store().reader().list_receipts(default_app, id, {{}, 10'000}, std::move(done));
  });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return std::move(answer.value.items);
}

std::vector<token_view> store_session::tokens_of(const std::string& user) {
  auto answer = await<page_of<token_view>>([&](auto done) {
    store().users().list_tokens(default_app, user, {{}, 200}, std::move(done));
  });
  EXPECT_TRUE(answer.ok()) << answer.message;
  return std::move(answer.value.items);
}

outcome_batch store_session::accept(const work_ptr& work) const {
  return accept(work, 0, work->targets.size());
}

outcome_batch store_session::accept(const work_ptr& work, std::size_t first,
                                    std::size_t count) const {
  outcome_batch batch{work, {}, {}, now()};
  for (auto i = first; i < std::min(first + count, work->targets.size()); ++i)
    batch.accepted.push_back(static_cast<std::uint32_t>(i));
  return batch;
}

outcome_batch store_session::settled(const work_ptr& work) const {
  outcome_batch batch{work, {}, {}, now()};
  for (const auto& one : work->settled) {
    outcome end;
    end.token = one.id;
    end.index = one.index;
    end.status = one.status;
    end.reason = one.reason;
    batch.others.push_back(std::move(end));
  }
  return batch;
}

outcome store_session::outcome_of(const work_ptr& work, std::size_t position,
                                  outcome_status status) const {
  outcome one;
  one.token = work->targets.at(position).id;
  one.index = work->targets.at(position).index;
  one.status = status;
  one.attempts = static_cast<std::uint16_t>(work->targets.at(position).attempts + 1);
  return one;
}

outcome store_session::retry_of(const work_ptr& work, std::size_t position,
                                std::chrono::milliseconds delay) const {
  auto one = outcome_of(work, position, outcome_status::retry);
  one.reason = "ServiceUnavailable";
  one.retry_at = now() + delay;
  return one;
}

outcome_batch store_session::others(const work_ptr& work, std::vector<outcome> list) const {
  return {work, {}, std::move(list), now()};
}

void store_session::run_to_the_end() {
  for (int round = 0; round < 10'000; ++round) {
    const auto planned = plan_all();
    const auto claimed = claim_all();
    for (const auto& work : claimed.works)
      complete(flush({accept(work), settled(work)}).finished_chunks_of);
    const auto swept = sweep();
    if (planned == 0 && claimed.works.empty() && swept.released == 0 && swept.skipped == 0 &&
        !swept.more && !swept.plan_due && !swept.work_due)
      return;
  }
  FAIL() << "there is always something left";
}

outcome store_session::given_up(const work_ptr& work, std::size_t position,
                                const std::string& last_error) const {
  auto one = outcome_of(work, position, outcome_status::rejected);
  one.reason = last_error;
  one.dead_letter = true;
  return one;
}

void store_session::expect_closed(const job_id& id, std::int64_t total) {
  const auto job = view(id);
  EXPECT_TRUE(job.completed_at) << to_string(job.status);
  EXPECT_EQ(job.total, total);
  EXPECT_EQ(job.planned, total);
  EXPECT_EQ(job.counts.finished(), total);
  EXPECT_EQ(job.pending(), 0);
}

std::vector<std::string> tokens_in(const work_ptr& work) {
  std::vector<std::string> tokens;
  for (const auto& one : work->targets)
    tokens.emplace_back(work->token(one));
  return tokens;
}

std::size_t targets_in(const std::vector<work_ptr>& works) {
  std::size_t count = 0;
  for (const auto& work : works)
    count += work->targets.size();
  return count;
}

lease_ref lease_of(const work_ptr& work) {
  return {work->kind, work->key, work->epoch};
}

} // namespace signalbox::contract
