#pragma once

#include "adapters/http/api.hpp"
#include "adapters/http/rfc3339.hpp"
#include "tests/adapters/http/call_log.hpp"
#include "tests/adapters/http/fake_activities.hpp"
#include "tests/adapters/http/fake_channels.hpp"
#include "tests/adapters/http/server_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace signalbox::http {

class fake_users final : public user_directory {
public:
  explicit fake_users(call_log& log) : log_(log) {}

  void put_user(app_id, std::string user, callback<put_outcome> done) override {
    log_.note("put_user " + user);
    done({code, "told so", put});
  }
  void get_user(app_id, std::string user, callback<user_view> done) override {
    log_.note("get_user " + user);
    done({code, "told so", {user, timestamp{}}});
  }
  void list_users(app_id, page_request page, callback<page_of<user_view>> done) override {
    log_.note("list_users after=" + page.after + " limit=" + std::to_string(page.limit));
    done({code, "told so", {{{"u1", timestamp{}}, {"u2", timestamp{}}}, next}});
  }
  void delete_user(app_id, std::string user, callback<unit> done) override {
    log_.note("delete_user " + user);
    done({code, "told so", {}});
  }
  /// Odd ones are new. Holds the callback back when `hold` is set.
  void register_tokens(app_id, std::vector<token_registration> tokens,
                       callback<registration_result> done) override {
    log_.note("register " + std::to_string(tokens.size()));
    registration_result answer;
    for (std::size_t i = 0; i < tokens.size(); ++i)
      answer.created.push_back(i % 2 == 0);
    std::unique_lock lock{mutex};
    for (auto& token : tokens)
      registered.push_back(std::move(token));
    auto run = [this, done, answer] { done({code, "told so", answer}); };
    if (hold) {
      held.push_back(run);
      return;
    }
    lock.unlock();
    run();
  }
  void list_tokens(app_id, std::string user, page_request page,
                   callback<page_of<token_view>> done) override {
    log_.note("list_tokens " + user + " limit=" + std::to_string(page.limit));
    token_view live{platform::apns, environment::sandbox, "ab", timestamp{}, {}, {}};
    token_view dead{platform::fcm, environment::production, "x", timestamp{},
                    timestamp{},   "UNREGISTERED"};
    done({code, "told so", {{live, dead}, {}}});
  }
  void delete_token(app_id, std::string user, std::string token, callback<unit> done) override {
    log_.note("delete_token " + user + " " + token);
    done({code, "told so", {}});
  }

  errc code = errc::ok;
  put_outcome put = put_outcome::created;
  std::string next;
  std::mutex mutex;
  bool hold = false;
  std::deque<std::function<void()>> held;
  std::vector<token_registration> registered;

private:
  call_log& log_;
};

class fake_topics final : public topic_directory {
public:
  explicit fake_topics(call_log& log) : log_(log) {}

  void put_topic(app_id, std::string topic, std::optional<std::string> name,
                 callback<put_outcome> done) override {
    log_.note("put_topic " + topic + " " + name.value_or("-"));
    done({code, "told so", put});
  }
  void get_topic(app_id, std::string topic, callback<topic_view> done) override {
    log_.note("get_topic " + topic);
    done({code, "told so", {topic, "News", timestamp{}}});
  }
  void list_topics(app_id, page_request, callback<page_of<topic_view>> done) override {
    log_.note("list_topics");
    done({code, "told so", {{{"t", "", timestamp{}}}, {}}});
  }
  void delete_topic(app_id, std::string topic, callback<unit> done) override {
    log_.note("delete_topic " + topic);
    done({code, "told so", {}});
  }
  void count_topic(app_id, std::string topic, callback<std::int64_t> done) override {
    log_.note("count_topic " + topic);
    done({code, "told so", 42});
  }
  void list_subscribers(app_id, std::string topic, page_request,
                        callback<page_of<user_view>> done) override {
    log_.note("list_subscribers " + topic);
    done({code, "told so", {{{"u", timestamp{}}}, {}}});
  }
  void subscribe(app_id, std::string user, std::string topic, callback<put_outcome> done) override {
    log_.note("subscribe " + user + " " + topic);
    done({code, "told so", put});
  }
  void unsubscribe(app_id, std::string user, std::string topic, callback<unit> done) override {
    log_.note("unsubscribe " + user + " " + topic);
    done({code, "told so", {}});
  }
  void list_subscriptions(app_id, std::string user, page_request,
                          callback<page_of<subscription_view>> done) override {
    log_.note("list_subscriptions " + user);
    done({code, "told so", {{{"t", timestamp{}}}, {}}});
  }

  errc code = errc::ok;
  put_outcome put = put_outcome::created;

private:
  call_log& log_;
};

class fake_jobs final : public job_reader {
public:
  explicit fake_jobs(call_log& log) : log_(log) {
    view.lane = "push";
    view.scope = scope_kind::topic;
    view.scope_name = "news";
  }

  void get_job(app_id, job_id id, callback<job_view> done) override {
    log_.note("get_job");
    view.id = id;
    done({code, "told so", view});
  }
  void list_receipts(app_id, job_id, page_request, callback<page_of<receipt_view>> done) override {
    log_.note("list_receipts");
    receipt_view one;
    one.provider = platform::apns;
    one.token = "ab";
    one.status = outcome_status::rejected;
    one.reason = "BadDeviceToken";
    done({code, "told so", {{one}, {}}});
  }
  void count_reasons(app_id, job_id, callback<std::vector<reason_count>> done) override {
    log_.note("count_reasons");
    done({code, "told so", {{outcome_status::rejected, "BadDeviceToken", 3}}});
  }
  void list_jobs(app_id, job_query query, page_request page,
                 callback<page_of<job_view>> done) override {
    auto text = "list_jobs " + std::to_string(static_cast<int>(query.scope)) + " " + query.name +
                " " + (query.status ? std::string{to_string(*query.status)} : "any");
    if (!query.lane.empty())
      text += " lane=" + query.lane;
    if (!query.reference.empty())
      text += " reference=" + query.reference;
    if (query.since)
      text += " since=" + format_rfc3339(*query.since);
    if (query.due_before)
      text += " due_before=" + format_rfc3339(*query.due_before);
    if (!page.after.empty())
      text += " after=" + page.after;
    log_.note(std::move(text));
    done({code, "told so", {{view}, next}});
  }
  void cancel_job(app_id, job_id id, callback<job_view> done) override {
    log_.note("cancel_job");
    view.id = id;
    view.status = job_status::cancelled;
    done({code, "told so", view});
  }
  void count_open_jobs(callback<std::vector<lane_jobs>> done) override { done({}); }
  void check_health(callback<unit> done) override {
    if (silent)
      unanswered = std::move(done);
    else
      done({code, "told so", {}});
  }

  errc code = errc::ok;
  job_view view;
  std::string next;    ///< of a list of jobs
  bool silent = false; ///< the store does not answer
  callback<unit> unanswered;

private:
  call_log& log_;
};

class fake_control final : public job_control {
public:
  explicit fake_control(call_log& log) : log_(log) {}

  void pause(work_rule rule, std::string reason, callback<pause_view> done) override {
    log_.note("pause");
    rules.push_back(rule);
    done({code, "told so", {7, std::move(rule), std::move(reason), timestamp{}, existed}});
  }
  void resume(std::int64_t pause, callback<unit> done) override {
    log_.note("resume " + std::to_string(pause));
    done({code, "told so", {}});
  }
  void list_pauses(page_request page, callback<page_of<pause_view>> done) override {
    log_.note("list_pauses after=" + page.after + " limit=" + std::to_string(page.limit));
    pause_view one;
    one.id = 7;
    one.rule.topic = "news";
    done({code, "told so", {{one}, next}});
  }
  void cancel_jobs(work_rule rule, std::optional<timestamp> created_before,
                   callback<cancel_result> done) override {
    log_.note("cancel_jobs before=" + (created_before ? format_rfc3339(*created_before) : "any"));
    rules.push_back(std::move(rule));
    done({code, "told so", cancelled});
  }

  errc code = errc::ok;
  bool existed = false;
  std::string next;
  cancel_result cancelled;
  std::vector<work_rule> rules; ///< as given

private:
  call_log& log_;
};

class fake_dead_letters final : public dead_letter_office {
public:
  explicit fake_dead_letters(call_log& log) : log_(log) {}

  void list_dead_letters(dead_letter_filter filter, page_request page,
                         callback<page_of<dead_letter_view>> done) override {
    log_.note("list" + text_of(filter) + " after=" + page.after +
              " limit=" + std::to_string(page.limit));
    done({code, "told so", {letters, next}});
  }
  void replay_dead_letters(dead_letter_filter filter, bool dry_run,
                           callback<replay_result> done) override {
    log_.note((dry_run ? "dry_run" : "replay") + text_of(filter));
    done({code, "told so", replayed});
  }
  void delete_dead_letters(dead_letter_filter filter, callback<dead_letter_count> done) override {
    log_.note("delete" + text_of(filter));
    done({code, "told so", {3, true}});
  }

  errc code = errc::ok;
  std::string next;
  std::vector<dead_letter_view> letters;
  replay_result replayed;

private:
  static std::string text_of(const dead_letter_filter& filter) {
    return " job=" + (filter.job ? filter.job->to_string() : "any") + " lane=" + filter.lane +
           " reason=" + filter.reason +
           (filter.reference.empty() ? "" : " reference=" + filter.reference);
  }

  call_log& log_;
};

class fixed_clock final : public wall_clock {
public:
  timestamp now() const override { return *parse_rfc3339("2026-01-31T12:00:00Z"); }
  boot_clock::time_point boot_now() const override { return boot_clock::time_point{}; }
};

/// The API over fake ports, with lanes `push` and `live-activity` whose ingest is the test's.
class api_fixture : public ::testing::Test {
protected:
  api_fixture() {
    // The fixture is an argument, not a capture: CAF dereferences null for a function without any.
    auto open_door = [](ingest::pointer, api_fixture* self) -> ingest::behavior_type {
      return {[self](accept_jobs& arrived) {
                for (auto& job : arrived.jobs)
                  self->on_job(std::move(job));
              },
              [](const jobs_taken&) {}, [](const peers_changed&) {},
              [](const drain&) { return drained{}; }};
    };
    ingest door = actors_.spawn(open_door, this);
    auto peers = std::make_shared<lane_peers>();
    peers->lane = "push";
    peers->door = door;
    auto note_control = [](caf::event_based_actor*, api_fixture* self) -> caf::behavior {
      return {[self](const job_stopped& stopped) {
                self->log_.note("stop " + stopped.job.to_string() + " " + stopped.reason);
              },
              [self](const reset_breakers& reset) {
                self->log_.note("reset " + std::string{to_string(reset.dest->provider)} + " " +
                                std::string{to_string(reset.dest->env)} + " " +
                                std::string{to_string(*reset.kind)});
              }};
    };
    const auto control = actors_.spawn(note_control, this);
    peers->masters.push_back(caf::actor_cast<master>(control));
    peers->room = caf::actor_cast<credit>(control);
    door_.update(peers);
    auto activities = std::make_shared<lane_peers>();
    activities->lane = "live-activity";
    activities->door = door;
    door_.update(activities);
  }

  ~api_fixture() override {
    server_.reset();
    door_.clear();
  }

  void serve() {
    server_ =
      std::make_unique<server>(server_options{.hosts = {"a"},
                                              .linger_timeout = std::chrono::milliseconds{200},
                                              .on_idle = [this] { door_.pass_on(); }},
                               make_api(ports()));
    server_->start();
  }

  api_ports ports() {
    return {users_,
            topics_,
            jobs_,
            control_,
            dead_letters_,
            activities_,
            channels_,
            breakers_,
            door_,
            clock_,
            [this](std::string_view payload) { return check_payload(payload); },
            [this](new_job& dispatch) { return check_payload(dispatch.payload); },
            [](std::string_view lane) { return lane == "live-activity"; },
            [] { return std::string{"signalbox_up 1\n"}; },
            [this] { return checks_; },
            8 * 1024 * 1024,
            std::chrono::hours{24 * 366},
            [](const job_context& job) { return R"({"apns":)" + job.payload + '}'; }};
  }

  std::optional<payload_refusal> check_payload(std::string_view payload) const {
    if (payload.find("reserved") != payload.npos)
      return payload_refusal{"/fcm/data/reserved", "is not for the test"};
    if (payload.size() <= payload_limit_)
      return std::nullopt;
    return payload_refusal{"", "too large for the test"};
  }

  raw_answer ask(const std::string& method, const std::string& path, const std::string& body = "",
                 const std::string& type = "application/json") {
    if (!server_)
      serve();
    raw_client client{server_->port()};
    auto answer =
      client.ask(method + ' ' + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: " + type +
                 "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    if (!answer)
      ADD_FAILURE() << "no answer to " << method << ' ' << path;
    return answer.value_or(raw_answer{});
  }

  /// The calls so far, when there are as many: what actors note comes by and by.
  std::vector<std::string> wait_for_calls(std::size_t count) {
    std::vector<std::string> seen;
    for (int i = 0; i < 6'000; ++i) {
      for (auto& call : log_.take())
        seen.push_back(std::move(call));
      if (seen.size() >= count)
        break;
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return seen;
  }

  /// Pointers of a problem's errors, joined by spaces.
  static std::string pointers(const raw_answer& answer) {
    std::string out;
    auto document = boost::json::parse(answer.body);
    for (const auto& error : document.at("errors").as_array())
      out += (out.empty() ? "" : " ") + std::string{error.at("pointer").as_string()};
    return out;
  }

  void on_job(accept_job job) {
    std::lock_guard guard{mutex_};
    accepted_.push_back(job.job);
    if (refuse_ != errc::ok)
      job.reply->refused(refuse_, "told so");
    else if (!drop_)
      job.reply->accepted(job.job.id,
                          {errc::ok,
                           {},
                           job.job.not_before ? job_status::scheduled : job_status::queued,
                           {},
                           made_ ? made_(job.job) : std::nullopt});
  }

  std::vector<new_job> accepted() {
    std::lock_guard guard{mutex_};
    return accepted_;
  }

  call_log log_;
  fake_users users_{log_};
  fake_topics topics_{log_};
  fake_jobs jobs_{log_};
  fake_control control_{log_};
  fake_dead_letters dead_letters_{log_};
  fake_activities activities_{log_};
  breaker_board breakers_;
  fake_channels channels_{log_};
  fixed_clock clock_;
  job_door door_;
  std::vector<readiness_check> checks_;
  std::size_t payload_limit_ = 4096;
  std::mutex mutex_;
  errc refuse_ = errc::ok;
  bool drop_ = false;
  std::vector<new_job> accepted_;
  /// What the store makes of a dispatch.
  std::function<std::optional<activity_result>(const new_job&)> made_;
  caf::actor_system_config config_;
  caf::actor_system actors_{config_};
  std::unique_ptr<server> server_;
};

} // namespace signalbox::http
