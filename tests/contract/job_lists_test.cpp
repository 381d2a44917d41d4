// Which jobs a list shows, in which order, and what a page of it may cost.

#include "tests/contract/activity_session.hpp"
#include "tests/contract/store_contract.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace signalbox::contract {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

using namespace std::chrono_literals;

class job_lists : public store_contract {
protected:
  struct listing {
    std::vector<job_id> ids;
    int pages = 0;
  };

  listing list(const job_query& query, std::size_t limit = 50) {
    listing seen;
    page_request page{{}, limit};
    do {
      auto answer = await<page_of<job_view>>(
        [&](auto done) { store().reader().list_jobs(default_app, query, page, std::move(done)); });
      EXPECT_TRUE(answer.ok()) << answer.message;
      EXPECT_LE(answer.value.items.size(), limit);
      for (const auto& job : answer.value.items)
        seen.ids.push_back(job.id);
      page.after = answer.value.next;
      ++seen.pages;
    } while (!page.after.empty() && seen.pages < 1'000);
    return seen;
  }

  job_id add(new_job job, const std::string& lane = "push", const std::string& reference = {}) {
    job.lane = lane;
    job.reference = reference;
    const auto id = job.id;
    EXPECT_EQ(commit(std::move(job)).code, errc::ok);
    return id;
  }

  void add_user(const std::string& name) {
    ASSERT_TRUE(await<put_outcome>([&](auto done) {
                  store().users().put_user(default_app, name, std::move(done));
                }).ok());
  }

  // Jobs without targets, which are complete at once.
  void add_finished(int count) {
    add_user("empty");
    for (int done = 0; done < count;) {
      std::vector<job_submission> group;
      for (; done < count && group.size() < 500; ++done)
        group.push_back({user_job("empty"), false});
      const auto committed = await<std::vector<commit_result>>([&](auto answer) {
        store().jobs().commit_jobs(std::move(group), lease, std::move(answer));
      });
      for (const auto& one : committed.value)
        ASSERT_EQ(one.status, job_status::completed) << one.message;
    }
  }

  static job_query with_status(job_status status) {
    job_query query;
    query.status = status;
    return query;
  }
};

INSTANTIATE_TEST_SUITE_P(stores, job_lists, testing::ValuesIn(store_kinds()),
                         [](const auto& info) { return info.param.name; });

TEST_P(job_lists, all_jobs_are_listed_newest_first_dispatches_among_them) {
  add_token("ann", "phone", {"news"});
  const auto first = add(user_job("ann"));
  activity_session activities{*this};
  activities.add_token("ann", "starter", token_kind::start);
  auto start = activities.start_job("match", scope_kind::user, "ann");
  start.lane = "live-activity";
  start.reference = "order-7";
  ASSERT_EQ(commit(start).code, errc::ok);
  const auto last = add(topic_job("news"), "bulk");
  EXPECT_THAT(list({}).ids, ElementsAre(last, start.id, first));
  job_query of_lane;
  of_lane.lane = "live-activity";
  EXPECT_THAT(list(of_lane).ids, ElementsAre(start.id));
  of_lane.lane = "never-heard-of";
  EXPECT_THAT(list(of_lane).ids, IsEmpty());
  job_query of_reference;
  of_reference.reference = "order-7";
  EXPECT_THAT(list(of_reference).ids, ElementsAre(start.id));
  EXPECT_EQ(view(start.id).reference, "order-7");
  EXPECT_EQ(view(first).reference, "");
}

TEST_P(job_lists, every_combination_of_filters_shows_what_fits_all_of_them) {
  add_token("ann", "phone", {"news", "sport"});
  std::vector<job_view> all;
  timestamp middle;
  for (int i = 0; i < 48; ++i) {
    advance(1min);
    if (i == 24)
      middle = now();
    auto job = topic_job(i % 3 == 0 ? "sport" : "news");
    job.reference = i % 4 == 0 ? "" : "r" + std::to_string(i % 4);
    job.lane = i % 5 < 3 ? "push" : "bulk";
    if (i % 7 == 0)
      job.not_before = now() + 10h;
    commit(job, i % 2 == 0);
    if (i % 6 == 1)
      cancel(job.id);
    all.insert(all.begin(), view(job.id));
  }
  for (auto& one : all)
    one = view(one.id);
  for (const auto* topic : {"", "news"})
    for (const std::optional<job_status> status :
         {std::optional<job_status>{}, std::optional{job_status::scheduled},
          std::optional{job_status::queued}, std::optional{job_status::in_progress},
          std::optional{job_status::completed}, std::optional{job_status::cancelled}})
      for (const auto* lane : {"", "bulk"})
        for (const auto* reference : {"", "r2"})
          for (const auto since : {std::optional<timestamp>{}, std::optional{middle}})
            for (const auto due_before :
                 {std::optional<timestamp>{}, std::optional{middle + 5min}}) {
              const job_query query{scope_kind::topic, topic, status,    lane,
                                    reference,         since, due_before};
              std::vector<job_id> expected;
              for (const auto& job : all)
                if ((!*topic || job.scope_name == topic) && (!status || job.status == *status) &&
                    (!*lane || job.lane == lane) && (!*reference || job.reference == reference) &&
                    (!since || job.created_at >= *since) &&
                    (!due_before || (!job.completed_at && job.created_at <= *due_before &&
                                     job.not_before.value_or(timestamp{}) <= *due_before)))
                  expected.push_back(job.id);
              for (const std::size_t limit : {1, 3, 50})
                EXPECT_THAT(list(query, limit).ids, ElementsAreArray(expected))
                  << topic << ' ' << (status ? to_string(*status) : "any") << ' ' << lane << ' '
                  << reference << ' ' << since.has_value() << due_before.has_value();
            }
}

TEST_P(job_lists, a_rare_end_is_found_among_many_jobs_by_one_page) {
  add_token("ann", "phone", {"news"});
  const auto cancelled = add(topic_job("news"));
  const auto open = add(topic_job("news"));
  cancel(cancelled);
  add_finished(12'000);
  const auto found = list(with_status(job_status::cancelled));
  EXPECT_THAT(found.ids, ElementsAre(cancelled));
  EXPECT_EQ(found.pages, 1);
  const auto waiting = list(with_status(job_status::queued));
  EXPECT_THAT(waiting.ids, ElementsAre(open));
  EXPECT_EQ(waiting.pages, 1);
}

TEST_P(job_lists, what_no_index_finds_costs_a_bounded_page_that_goes_on) {
  add_user("gone");
  const auto oldest = add(user_job("gone"), "bulk");
  add_finished(12'000);
  auto query = with_status(job_status::completed);
  query.lane = "bulk";
  const auto found = list(query);
  EXPECT_THAT(found.ids, ElementsAre(oldest));
  EXPECT_EQ(found.pages, 3) << "5,000 jobs a page";
  query.lane.clear();
  query.scope = scope_kind::user;
  query.name = "empty";
  query.status = job_status::failed;
  const auto none = list(query);
  EXPECT_THAT(none.ids, IsEmpty());
  EXPECT_EQ(none.pages, 3) << "also those of one user";
}

// Ids never go back within a process, where another test's clock may have been far ahead.
std::chrono::milliseconds time_of_next_id(timestamp now) {
  std::int64_t ms = 0;
  for (int i = 0; i < 6; ++i)
    ms = ms << 8 | make_uuid_v7(now).bytes[static_cast<std::size_t>(i)];
  return std::chrono::milliseconds{ms};
}

TEST_P(job_lists, a_list_since_a_time_does_not_look_at_what_is_older) {
  advance(std::max(time_of_next_id(now()) - now().time_since_epoch(), 0ms));
  add_finished(12'000);
  advance(1h);
  const auto then = now();
  const auto job = add(user_job("empty"), "bulk");
  job_query query;
  query.since = then;
  query.lane = "bulk";
  const auto found = list(query);
  EXPECT_THAT(found.ids, ElementsAre(job));
  EXPECT_EQ(found.pages, 1);
}

TEST_P(job_lists, since_also_finds_what_was_committed_out_of_order) {
  add_user("empty");
  std::vector<new_job> jobs;
  for (int i = 0; i < 3; ++i) {
    jobs.push_back(user_job("empty"));
    advance(1s);
  }
  add(jobs[2]);
  add(jobs[0]);
  add(jobs[1]);
  job_query query;
  query.since = jobs[1].created_at;
  EXPECT_THAT(list(query).ids, ElementsAre(jobs[1].id, jobs[2].id));
}

TEST_P(job_lists, a_replay_keeps_the_reference_and_so_does_a_restart) {
  add_token("ann", "phone", {"news"});
  const auto job = add(topic_job("news"), "push", "order-7");
  plan_all();
  const auto work = claim_all().works.at(0);
  flush({others(work, {given_up(work, 0)})});
  const auto replayed = replay();
  ASSERT_EQ(replayed.jobs.size(), 1u);
  crash_and_reopen();
  job_query query;
  query.reference = "order-7";
  EXPECT_THAT(list(query).ids, ElementsAre(*replayed.jobs[0].job, job));
  EXPECT_EQ(view(*replayed.jobs[0].job).reference, "order-7");
}

} // namespace
} // namespace signalbox::contract
