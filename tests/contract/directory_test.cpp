#include "tests/contract/store_contract.hpp"

#include <gmock/gmock.h>

namespace signalbox::contract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using namespace std::chrono_literals;

class directory_contract : public store_contract {
protected:
  template <class T, class... Args>
  result<T> users_call(void (user_directory::*call)(Args...), auto... args) {
    return await<T>([&](auto done) { (store().users().*call)(args..., std::move(done)); });
  }

  template <class T, class... Args>
  result<T> topics_call(void (topic_directory::*call)(Args...), auto... args) {
    return await<T>([&](auto done) { (store().topics().*call)(args..., std::move(done)); });
  }

  template <class T, class List>
  std::vector<T> all_pages(std::size_t limit, List list) {
    std::vector<T> items;
    page_request page{{}, limit};
    do {
      auto answer = await<page_of<T>>([&](auto done) { list(page, std::move(done)); });
      EXPECT_TRUE(answer.ok()) << answer.message;
      EXPECT_LE(answer.value.items.size(), limit);
      for (auto& item : answer.value.items)
        items.push_back(std::move(item));
      page.after = answer.value.next;
    } while (!page.after.empty());
    return items;
  }
};

INSTANTIATE_TEST_SUITE_P(stores, directory_contract, testing::ValuesIn(store_kinds()),
                         [](const auto& info) { return info.param.name; });

TEST_P(directory_contract, a_user_is_created_once) {
  EXPECT_EQ(users_call<user_view>(&user_directory::get_user, default_app, "ann").code,
            errc::not_found);
  EXPECT_EQ(users_call<put_outcome>(&user_directory::put_user, default_app, "ann").value,
            put_outcome::created);
  const auto created_at = now();
  advance(1s);
  EXPECT_EQ(users_call<put_outcome>(&user_directory::put_user, default_app, "ann").value,
            put_outcome::existing);
  const auto seen = users_call<user_view>(&user_directory::get_user, default_app, "ann");
  EXPECT_EQ(seen.value.id, "ann");
  EXPECT_EQ(seen.value.created_at, created_at);
}

TEST_P(directory_contract, an_unknown_app_is_an_error_of_that_call_alone) {
  auto stranger = std::async(std::launch::async, [&] {
    return users_call<put_outcome>(&user_directory::put_user, app_id{77}, "ann");
  });
  EXPECT_TRUE(users_call<put_outcome>(&user_directory::put_user, default_app, "bob").ok());
  EXPECT_EQ(stranger.get().code, errc::invalid);
}

TEST_P(directory_contract, a_deleted_user_is_gone_with_tokens_and_subscriptions) {
  add_token("ann", "phone", {"news"});
  EXPECT_TRUE(users_call<unit>(&user_directory::delete_user, default_app, "ann").ok());
  EXPECT_EQ(users_call<unit>(&user_directory::delete_user, default_app, "ann").code,
            errc::not_found);
  EXPECT_EQ(users_call<page_of<token_view>>(&user_directory::list_tokens, default_app, "ann",
                                            page_request{})
              .code,
            errc::not_found);
  EXPECT_EQ(topics_call<std::int64_t>(&topic_directory::count_topic, default_app, "news").value, 0);
  EXPECT_THAT(topics_call<page_of<user_view>>(&topic_directory::list_subscribers, default_app,
                                              "news", page_request{})
                .value.items,
              IsEmpty());
  add_token("bob", "phone");
  EXPECT_THAT(tokens_of("bob"), SizeIs(1)) << "the token is free again";
}

TEST_P(directory_contract, registrations_say_what_is_new) {
  const auto registered =
    add_tokens({{"ann", platform::apns, environment::production, "phone", {"news", "sport"}},
                {"ann", platform::apns, environment::production, "phone", {}},
                {"", platform::fcm, environment::production, "phone", {"news"}},
                {"bob", platform::apns, environment::production, "phone", {}}});
  ASSERT_TRUE(registered.ok()) << registered.message;
  EXPECT_THAT(registered.value.created, ElementsAre(true, false, true, false));
  EXPECT_THAT(tokens_of("ann"), IsEmpty());
  ASSERT_THAT(tokens_of("bob"), SizeIs(1));
  EXPECT_EQ(tokens_of("bob")[0].token, "phone");
  EXPECT_EQ(tokens_of("bob")[0].provider, platform::apns);
  EXPECT_EQ(topics_call<std::int64_t>(&topic_directory::count_topic, default_app, "news").value, 1)
    << "the userless one";
}

TEST_P(directory_contract, a_registration_without_a_user_leaves_a_token_to_its_user) {
  add_token("ann", "phone");
  advance(1s);
  add_token("", "phone");
  ASSERT_THAT(tokens_of("ann"), SizeIs(1));
  EXPECT_EQ(tokens_of("ann")[0].registered_at, now());
}

TEST_P(directory_contract, a_large_registration_is_one_call) {
  std::vector<token_registration> tokens;
  for (int i = 0; i < 10'000; ++i)
    tokens.push_back({"u" + std::to_string(i % 4'000),
                      platform::apns,
                      environment::production,
                      "t" + std::to_string(i),
                      {"all"}});
  const auto registered = add_tokens(std::move(tokens));
  ASSERT_TRUE(registered.ok()) << registered.message;
  EXPECT_THAT(registered.value.created, SizeIs(10'000));
  EXPECT_EQ(topics_call<std::int64_t>(&topic_directory::count_topic, default_app, "all").value,
            10'000);
}

TEST_P(directory_contract, a_failed_registration_says_so_and_can_be_repeated) {
  fail_commits(true);
  EXPECT_EQ(add_tokens({{"ann", platform::apns, environment::production, "phone", {}}}).code,
            errc::unavailable);
  fail_commits(false);
  EXPECT_THAT(
    add_tokens({{"ann", platform::apns, environment::production, "phone", {}}}).value.created,
    ElementsAre(true));
}

TEST_P(directory_contract, a_token_is_deleted_by_its_user_only) {
  add_token("ann", "phone");
  add_token("bob", "tablet");
  const auto deleted = [&](const char* user, const char* token) {
    return users_call<unit>(&user_directory::delete_token, default_app, user, token).code;
  };
  EXPECT_EQ(deleted("bob", "phone"), errc::not_found);
  EXPECT_EQ(deleted("ann", "nothing"), errc::not_found);
  EXPECT_EQ(deleted("nobody", "phone"), errc::not_found);
  EXPECT_EQ(deleted("ann", "phone"), errc::ok);
  EXPECT_THAT(tokens_of("ann"), IsEmpty());
  EXPECT_THAT(tokens_of("bob"), SizeIs(1));
}

TEST_P(directory_contract, topics_have_a_name_that_can_be_set_later) {
  const auto put = [&](std::optional<std::string> name) {
    return topics_call<put_outcome>(&topic_directory::put_topic, default_app, "news", name).value;
  };
  const auto name = [&] {
    return topics_call<topic_view>(&topic_directory::get_topic, default_app, "news").value.name;
  };
  EXPECT_EQ(put(std::nullopt), put_outcome::created);
  EXPECT_EQ(name(), "");
  EXPECT_EQ(put("The News"), put_outcome::existing);
  EXPECT_EQ(name(), "The News");
  EXPECT_EQ(put(std::nullopt), put_outcome::existing);
  EXPECT_EQ(name(), "The News");
}

TEST_P(directory_contract, a_deleted_topic_is_gone_also_from_its_subscribers) {
  add_subscribers("news", 1'000);
  add_token("u1", "t1", {"sport"});
  EXPECT_TRUE(topics_call<unit>(&topic_directory::delete_topic, default_app, "news").ok());
  EXPECT_EQ(topics_call<unit>(&topic_directory::delete_topic, default_app, "news").code,
            errc::not_found);
  EXPECT_EQ(topics_call<topic_view>(&topic_directory::get_topic, default_app, "news").code,
            errc::not_found);
  EXPECT_EQ(topics_call<std::int64_t>(&topic_directory::count_topic, default_app, "news").code,
            errc::not_found);
  const auto left = topics_call<page_of<subscription_view>>(&topic_directory::list_subscriptions,
                                                            default_app, "u1", page_request{});
  ASSERT_THAT(left.value.items, SizeIs(1));
  EXPECT_EQ(left.value.items[0].topic, "sport");
  topics_call<put_outcome>(&topic_directory::put_topic, default_app, "news",
                           std::optional<std::string>{});
  EXPECT_EQ(topics_call<std::int64_t>(&topic_directory::count_topic, default_app, "news").value, 0);
}

TEST_P(directory_contract, a_topic_removal_that_a_crash_cut_off_is_finished) {
  add_subscribers("news", 3'000);
  ASSERT_TRUE(topics_call<unit>(&topic_directory::delete_topic, default_app, "news").ok());
  crash_and_reopen();
  const auto others = topics_call<page_of<subscription_view>>(&topic_directory::list_subscriptions,
                                                              default_app, "u2999", page_request{});
  EXPECT_THAT(others.value.items, IsEmpty());
  reopen();
  add_subscribers("news", 3);
  EXPECT_EQ(topics_call<std::int64_t>(&topic_directory::count_topic, default_app, "news").value, 3);
}

TEST_P(directory_contract, every_list_pages_through_all) {
  add_subscribers("news", 7);
  for (const auto* topic : {"a", "b", "c", "d"})
    add_token("u3", "t3", {topic});
  for (int i = 0; i < 4; ++i)
    add_token("u3", "more" + std::to_string(i));
  const auto users = all_pages<user_view>(3, [&](auto page, auto done) {
    store().users().list_users(default_app, page, std::move(done));
  });
  ASSERT_THAT(users, SizeIs(7));
  EXPECT_EQ(users[0].id, "u0");
  EXPECT_EQ(users[6].id, "u6");
  EXPECT_THAT(all_pages<token_view>(2,
                                    [&](auto page, auto done) {
                                      store().users().list_tokens(default_app, "u3", page,
                                                                  std::move(done));
                                    }),
              SizeIs(5));
  EXPECT_THAT(all_pages<topic_view>(2,
                                    [&](auto page, auto done) {
                                      store().topics().list_topics(default_app, page,
                                                                   std::move(done));
                                    }),
              SizeIs(5));
  EXPECT_THAT(all_pages<user_view>(5,
                                   [&](auto page, auto done) {
                                     store().topics().list_subscribers(default_app, "news", page,
                                                                       std::move(done));
                                   }),
              SizeIs(7));
  EXPECT_THAT(all_pages<subscription_view>(5,
                                           [&](auto page, auto done) {
                                             store().topics().list_subscriptions(
                                               default_app, "u3", page, std::move(done));
                                           }),
              SizeIs(5));
}

TEST_P(directory_contract, jobs_are_listed_newest_first_and_by_status) {
  add_token("ann", "phone", {"news"});
  std::vector<job_id> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(user_job("ann").id);
    auto job = user_job("ann");
    job.id = ids.back();
    commit(job, i == 2);
  }
  const auto topic = topic_job("news");
  commit(topic);
  const auto listed = [&](scope_kind scope, const char* name, std::optional<job_status> status) {
    std::vector<job_id> found;
    for (const auto& job : all_pages<job_view>(2, [&](auto page, auto done) {
           store().reader().list_jobs(default_app, {scope, name, status, {}, {}, {}, {}}, page,
                                      std::move(done));
         }))
      found.push_back(job.id);
    return found;
  };
  EXPECT_THAT(listed(scope_kind::user, "ann", std::nullopt),
              ElementsAre(ids[4], ids[3], ids[2], ids[1], ids[0]));
  EXPECT_THAT(listed(scope_kind::user, "ann", job_status::in_progress), ElementsAre(ids[2]));
  EXPECT_THAT(listed(scope_kind::topic, "news", std::nullopt), ElementsAre(topic.id));
  const auto unknown = await<page_of<job_view>>([&](auto done) {
    store().reader().list_jobs(default_app, {scope_kind::user, "nobody", {}, {}, {}, {}, {}}, {},
                               std::move(done));
  });
  EXPECT_EQ(unknown.code, errc::not_found);
}

TEST_P(directory_contract, a_closed_store_refuses_every_call) {
  add_token("ann", "phone");
  const auto job = user_job("ann");
  store().close();
  EXPECT_EQ(commit(job).code, errc::stopping);
  EXPECT_EQ(get(job.id).code, errc::stopping);
  EXPECT_EQ(users_call<put_outcome>(&user_directory::put_user, default_app, "bob").code,
            errc::stopping);
  EXPECT_EQ(users_call<user_view>(&user_directory::get_user, default_app, "ann").code,
            errc::stopping);
  reopen();
  EXPECT_THAT(tokens_of("ann"), SizeIs(1));
}

TEST_P(directory_contract, closing_answers_what_was_asked_before) {
  std::vector<std::future<errc>> answers;
  const auto note = [&] {
    auto promise = std::make_shared<std::promise<errc>>();
    answers.push_back(promise->get_future());
    return [promise](const auto& answer) { promise->set_value(answer.code); };
  };
  for (int i = 0; i < 50; ++i) {
    store().users().put_user(default_app, "u" + std::to_string(i), note());
    store().jobs().commit_jobs(
      {{tokens_job({{platform::apns, environment::production, "t" + std::to_string(i)}}), false}},
      lease, note());
    store().jobs().claim({"push", {{apns, 10}}, 64, lease}, note());
    store().jobs().plan("push", 1'000, note());
    store().users().list_users(default_app, {}, note());
  }
  store().close();
  for (auto& answer : answers) {
    ASSERT_EQ(answer.wait_for(0s), std::future_status::ready);
    EXPECT_EQ(answer.get(), errc::ok);
  }
}

TEST_P(directory_contract, a_store_that_goes_away_answers_everything) {
  std::vector<std::future<errc>> answers;
  for (int i = 0; i < 200; ++i) {
    auto promise = std::make_shared<std::promise<errc>>();
    answers.push_back(promise->get_future());
    store().jobs().commit_jobs(
      {{tokens_job({{platform::apns, environment::production, "t" + std::to_string(i)}}), true}},
      lease, [promise](const auto& answer) { promise->set_value(answer.code); });
    if (i % 3 == 0)
      store().jobs().plan("push", 1'000, [](const auto&) {});
  }
  crash_and_reopen();
  for (auto& answer : answers) {
    ASSERT_EQ(answer.wait_for(0s), std::future_status::ready);
    const auto code = answer.get();
    EXPECT_TRUE(code == errc::ok || code == errc::stopping);
  }
}

TEST_P(directory_contract, health_is_asked_of_writer_and_readers) {
  const auto health = [&] {
    return await<unit>([&](auto done) { store().reader().check_health(std::move(done)); }).code;
  };
  EXPECT_EQ(health(), errc::ok);
  fail_commits(true);
  EXPECT_EQ(health(), errc::unavailable);
  fail_commits(false);
  EXPECT_EQ(health(), errc::ok);
}

} // namespace
} // namespace signalbox::contract
