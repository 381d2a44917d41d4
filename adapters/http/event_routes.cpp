// Live events, as text/event-stream (SPEC 8).

#include "adapters/http/api.hpp"
#include "adapters/http/body_stream.hpp"
#include "adapters/http/route_support.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace signalbox::http {

namespace {

/// Ids that a client sends back are no longer than this.
constexpr std::size_t most_id = 128;

// When to come again after the stream's end: not all at the same time.
std::string retry_line() {
  static std::atomic<unsigned> streams{0};
  return "retry: " + std::to_string(1'000 + streams++ * 617 % 2'000) + "\n\n";
}

class event_stream final : public body_stream {
public:
  explicit event_stream(std::shared_ptr<subscription> events)
    : events_{std::move(events)}, head_{retry_line()} {}
  ~event_stream() override { events_->close(); }

  void begin(std::function<void()> ready) override { events_->listen(std::move(ready)); }

  bool next(std::size_t room, std::string& out) override {
    out += std::exchange(head_, {});
    return events_->take(room, out);
  }

private:
  std::shared_ptr<subscription> events_;
  std::string head_; ///< what comes before all events
};

/// Whatever destroys it unused thereby has the responder answer 503.
class watch_responder final : public watch_reply {
public:
  explicit watch_responder(responder to) : to_{std::move(to)} {}

  void opened(std::shared_ptr<subscription> events) override {
    response answer;
    answer.content_type = "text/event-stream";
    answer.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
    answer.stream = std::make_shared<event_stream>(std::move(events));
    to_.answer(std::move(answer));
  }

  void nothing_more() override { to_.answer(no_content()); } // an EventSource comes no more

  void refused(errc code, const std::string& message) override {
    to_.answer(failed(code, message));
  }

private:
  responder to_;
};

void watch(const api_ports& api, request& in, responder to, watch_request request) {
  request.last_event = in.header("Last-Event-ID").substr(0, most_id);
  request.reply = std::make_shared<watch_responder>(std::move(to));
  api.door.watch(std::move(request));
}

} // namespace

void add_event_routes(router& routes, api_ports_ptr api) {
  routes.add(
    {.method = verb::get, .pattern = "/v1/events", .handle = [api](request& in, responder to) {
       watch(*api, in, std::move(to), {.scope = watch_scope::node});
     }});
  routes.add({.method = verb::get,
              .pattern = "/v1/notifications/{job}/events",
              .handle = [api](request& in, responder to) {
                const auto job = uuid::parse(in.parameter("job"));
                if (!job)
                  return to.answer(problem(404, "There is no job of this id."));
                watch(*api, in, std::move(to), {.scope = watch_scope::job, .job = *job});
              }});
  routes.add({.method = verb::get,
              .pattern = "/v1/live-activity/jobs/{activity}/events",
              .handle = [api](request& in, responder to) {
                std::vector<field_error> errors;
                check_parameter(in, "activity", errors);
                if (!errors.empty())
                  return to.answer(invalid_fields(errors));
                watch(*api, in, std::move(to),
                      {.scope = watch_scope::activity, .activity = in.parameter("activity")});
              }});
}

} // namespace signalbox::http
