#include "adapters/apns/request_writer.hpp"
#include "adapters/simulator/tls_material.hpp"
#include "tests/adapters/apns/transport_fixture.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>

using namespace signalbox;

namespace {

struct header {
  std::string value;
  int flags = 0;
  bool never_indexed() const { return (flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0; }
};

std::map<std::string, header> headers_of(const http2_request& request) {
  std::map<std::string, header> all;
  for (const auto& one : request.headers)
    all[std::string(reinterpret_cast<char*>(one.name), one.namelen)] = {
      std::string(reinterpret_cast<char*>(one.value), one.valuelen), one.flags};
  return all;
}

// Both clocks go on.
token_time after_start(int seconds) {
  const std::chrono::seconds passed{seconds};
  return {std::chrono::sys_seconds{std::chrono::seconds{1'700'000'000} + passed},
          boot_clock::time_point{std::chrono::seconds{10'000} + passed}};
}

class request_writer_test : public testing::Test {
protected:
  void SetUp() override {
    auto pattern = (std::filesystem::temp_directory_path() / "signalbox-writer-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    token_ = std::make_shared<provider_token>(
      provider_key{"TEAM", "KEY", sim::ensure_tls_material(dir_).apns_key},
      provider_token_policy{});
    token_->refresh(after_start(0));
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::unique_ptr<apns_request_writer> writer() {
    return std::make_unique<apns_request_writer>("api.push.apple.com", "com.example.app", token_,
                                                 std::make_shared<rendered_jobs>());
  }

  /// The request for a target, in a queue of its own.
  std::map<std::string, header> write(apns_request_writer& by, const work_ptr& of,
                                      std::uint32_t position) {
    queue_.push(of, position, 1, {});
    const auto pick = queue_.next();
    answer failure;
    const auto* request = by.write(*pick.from, pick.position, failure);
    if (request == nullptr) {
      ADD_FAILURE() << failure.reason;
      return {};
    }
    body_ = request->body[0];
    note_ = request->note;
    return headers_of(*request);
  }

  std::filesystem::path dir_;
  std::shared_ptr<provider_token> token_;
  work_queue queue_;
  std::string body_;
  std::uint32_t note_ = 0;
};

TEST_F(request_writer_test, a_request_says_what_apns_wants_to_know) {
  const auto by = writer();
  ASSERT_EQ(by->prepare(), "");
  const auto of = make_work(3);
  const auto headers = write(*by, of, 2);
  EXPECT_EQ(headers.at(":method").value, "POST");
  EXPECT_EQ(headers.at(":scheme").value, "https");
  EXPECT_EQ(headers.at(":authority").value, "api.push.apple.com");
  EXPECT_EQ(headers.at(":path").value, "/3/device/" + hex_token(3));
  EXPECT_EQ(headers.at("authorization").value, *token_->current());
  EXPECT_EQ(headers.at("apns-topic").value, "com.example.app");
  EXPECT_EQ(headers.at("apns-push-type").value, "alert");
  EXPECT_EQ(headers.at("apns-priority").value, "10");
  EXPECT_EQ(headers.at("apns-collapse-id").value, of->job->id.to_string());
  EXPECT_EQ(headers.at("apns-id").value,
            push_id_source{of->job->id}.id_for(of->targets[2].id).to_string());
  EXPECT_EQ(headers.count("apns-expiration"), 0u);
  EXPECT_EQ(body_, R"({"aps":{"alert":{"title":"Hi","body":"There"}}})");
}

TEST_F(request_writer_test,
       what_changes_is_indexed_the_first_time_on_a_connection_and_never_after) {
  const auto by = writer();
  by->prepare();
  const auto of = make_work(3);
  const auto first = write(*by, of, 0);
  EXPECT_FALSE(first.at("apns-id").never_indexed());
  EXPECT_FALSE(first.at("apns-collapse-id").never_indexed());
  for (const std::uint32_t position : {1, 2}) {
    const auto later = write(*by, of, position);
    EXPECT_TRUE(later.at("apns-id").never_indexed());
    EXPECT_TRUE(later.at("apns-collapse-id").never_indexed());
    EXPECT_TRUE(later.at("authorization").never_indexed());
    for (const auto* name :
         {":method", ":scheme", ":authority", "apns-topic", "apns-push-type", "apns-priority"})
      EXPECT_FALSE(later.at(name).never_indexed()) << name;
  }
}

TEST_F(request_writer_test, another_job_may_index_only_names_the_connection_has_not_seen) {
  const auto by = writer();
  by->prepare();
  write(*by, make_work(1), 0);
  auto with_ttl = std::make_shared<job_context>(*make_work(1)->job);
  with_ttl->id = make_uuid_v7(with_ttl->created_at);
  with_ttl->options.ttl = std::chrono::seconds{0};
  auto of = std::make_shared<work>(*make_work(2));
  of->job = with_ttl;
  const auto first = write(*by, of, 0);
  EXPECT_EQ(first.at("apns-expiration").value, "0");
  EXPECT_FALSE(first.at("apns-expiration").never_indexed());
  EXPECT_TRUE(first.at("apns-collapse-id").never_indexed());
  EXPECT_TRUE(write(*by, of, 1).at("apns-expiration").never_indexed());
}

TEST_F(request_writer_test, a_live_activity_has_a_topic_of_its_own) {
  const auto by = writer();
  by->prepare();
  const auto headers = write(*by, about_activity(make_work(2), activity_action::update), 1);
  EXPECT_EQ(headers.at(":path").value, "/3/device/" + hex_token(2));
  EXPECT_EQ(headers.at("apns-topic").value, "com.example.app.push-type.liveactivity");
  EXPECT_EQ(headers.at("apns-push-type").value, "liveactivity");
  EXPECT_EQ(headers.at("apns-collapse-id").value, "order-1");
}

TEST_F(request_writer_test, a_broadcast_names_its_channel_in_a_header) {
  const auto by = writer();
  by->prepare();
  const auto of = about_activity(make_work(1), activity_action::update, "Y2hhbm5lbA==");
  for (int i = 0; i < 2; ++i) {
    const auto headers = write(*by, of, 0);
    EXPECT_EQ(headers.at(":method").value, "POST");
    EXPECT_EQ(headers.at(":path").value, "/4/broadcasts/apps/com.example.app");
    EXPECT_EQ(headers.at("apns-channel-id").value, hex_token(1));
    EXPECT_TRUE(headers.at("apns-channel-id").never_indexed());
    EXPECT_EQ(headers.at("apns-request-id").value,
              push_id_source{of->job->id}.id_for(of->targets[0].id).to_string());
    EXPECT_TRUE(headers.at("apns-request-id").never_indexed());
    EXPECT_EQ(headers.at("apns-expiration").value, "0");
    EXPECT_EQ(headers.at("apns-priority").value, "10");
    EXPECT_EQ(headers.at("apns-push-type").value, "liveactivity");
    EXPECT_EQ(headers.count("apns-topic"), 0u);
    EXPECT_EQ(headers.count("apns-id"), 0u);
    EXPECT_EQ(headers.count("apns-collapse-id"), 0u);
  }
  const auto device = write(*by, about_activity(make_work(1), activity_action::update), 0);
  EXPECT_EQ(device.at(":path").value, "/3/device/" + hex_token(1));
  EXPECT_FALSE(device.at("apns-id").never_indexed());
}

TEST_F(request_writer_test, a_new_token_is_used_from_the_next_run_on) {
  const auto by = writer();
  by->prepare();
  const auto of = make_work(2);
  const auto before = write(*by, of, 0).at("authorization").value;
  token_->refresh(after_start(3'600));
  EXPECT_EQ(by->prepare(), "");
  const auto after = write(*by, of, 1).at("authorization").value;
  EXPECT_NE(after, before);
  EXPECT_EQ(after, *token_->current());
}

TEST_F(request_writer_test, without_a_token_there_is_nothing_to_send) {
  const auto none = std::make_shared<provider_token>(provider_key{"T", "K", dir_ / "none"},
                                                     provider_token_policy{});
  apns_request_writer by{"a", "b", none, std::make_shared<rendered_jobs>()};
  EXPECT_EQ(by.prepare(), "no_credentials");
}

TEST_F(request_writer_test, a_job_that_cannot_be_rendered_is_an_answer) {
  const auto by = writer();
  by->prepare();
  queue_.push(make_work(1, 1, default_app, "{"), 0, 1, {});
  const auto pick = queue_.next();
  answer failure;
  EXPECT_EQ(by->write(*pick.from, 0, failure), nullptr);
  EXPECT_EQ(failure.kind, answer_kind::answered);
  EXPECT_EQ(failure.status, 400);
  EXPECT_TRUE(failure.reason.starts_with("payload: ")) << failure.reason;
}

TEST_F(request_writer_test, answers_are_read_with_reason_timestamp_and_retry_after) {
  const auto by = writer();
  http2_response response;
  response.end = stream_end::complete;
  response.status = 410;
  response.retry_after = "12";
  response.body = R"({"reason":"Unregistered","timestamp":1700000000123})";
  const auto read = by->read(response, 0);
  EXPECT_EQ(read.kind, answer_kind::answered);
  EXPECT_EQ(read.status, 410);
  EXPECT_EQ(read.reason, "Unregistered");
  EXPECT_EQ(read.timestamp_ms, 1'700'000'000'123);
  EXPECT_EQ(read.retry_after_s, 12u);
  for (const auto* odd : {"", "<html>", "[1]", R"({"reason":5,"timestamp":"x"})"}) {
    response.body = odd;
    EXPECT_EQ(by->read(response, 0).reason, "") << odd;
    EXPECT_EQ(by->read(response, 0).status, 410);
  }
}

TEST_F(request_writer_test, a_refused_topic_is_the_callers_where_it_set_the_push_type) {
  const auto by = writer();
  by->prepare();
  http2_response response;
  response.end = stream_end::complete;
  response.status = 400;
  response.body = R"({"reason":"TopicDisallowed"})";
  write(*by, make_work(1), 0);
  EXPECT_FALSE(by->read(response, note_).callers_topic);
  const auto voip =
    make_work(1, 1, default_app, R"({"body":"B","apns":{"headers":{"apns-push-type":"voip"}}})");
  EXPECT_EQ(write(*by, voip, 0).at("apns-topic").value, "com.example.app.voip");
  EXPECT_TRUE(by->read(response, note_).callers_topic);
}

TEST_F(request_writer_test, a_refusal_of_a_token_that_was_replaced_blames_nothing) {
  const auto later = after_start(3'600);
  const auto by = writer();
  by->prepare();
  write(*by, make_work(1), 0);
  const auto old = note_;
  token_->refresh(later);
  const auto fresh = token_->current();
  http2_response response;
  response.end = stream_end::complete;
  response.status = 403;
  response.body = R"({"reason":"InvalidProviderToken"})";
  EXPECT_EQ(by->read(response, old).reason, "token_replaced") << "also before the next run";
  by->prepare();
  write(*by, make_work(1), 0);
  EXPECT_EQ(by->read(response, old).reason, "token_replaced");
  EXPECT_EQ(by->read(response, note_).reason, "InvalidProviderToken");

  response.body = R"({"reason":"ExpiredProviderToken"})";
  by->retires_connection(by->read(response, old));
  token_->refresh(later);
  EXPECT_EQ(token_->current(), fresh);
  by->retires_connection(by->read(response, note_));
  token_->refresh(later);
  EXPECT_NE(token_->current(), fresh);
}

TEST_F(request_writer_test, jobs_are_rendered_once_and_the_oldest_is_forgotten) {
  rendered_jobs jobs{2};
  const auto a = make_work(1);
  const auto b = make_work(1);
  const auto c = make_work(1);
  const auto first = jobs.get(*a->job, "x");
  EXPECT_EQ(jobs.get(*a->job, "x"), first);
  const auto second = jobs.get(*b->job, "x");
  jobs.get(*a->job, "x");
  jobs.get(*c->job, "x");
  EXPECT_EQ(jobs.get(*a->job, "x"), first);
  EXPECT_NE(jobs.get(*b->job, "x"), second);
}

TEST_F(request_writer_test, what_is_kept_rendered_is_bounded_in_bytes) {
  rendered_jobs jobs{10'000};
  const auto render = [&] {
    job_context job;
    job.id = make_uuid_v7(timestamp{});
    job.payload = R"({"body":")" + std::string(4'000, 'x') + R"("})";
    return std::weak_ptr<const rendered_job>{jobs.get(job, "x")};
  };
  const auto first = render();
  EXPECT_FALSE(first.expired());
  for (std::size_t bytes = 0; bytes < rendered_jobs::capacity_bytes; bytes += 4'000)
    render();
  EXPECT_TRUE(first.expired());
}

TEST_F(request_writer_test, another_bundle_is_rendered_anew) {
  rendered_jobs jobs;
  const auto of = make_work(1);
  EXPECT_EQ(jobs.get(*of->job, "old")->request.topic, "old");
  EXPECT_EQ(jobs.get(*of->job, "new")->request.topic, "new");
}

} // namespace
