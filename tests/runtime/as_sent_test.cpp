// What a caller wrote goes out as it was written, from the request to both providers.

#include "adapters/apns/render.hpp"
#include "adapters/fcm/render.hpp"
#include "adapters/http/activity_body.hpp"
#include "adapters/http/push_body.hpp"
#include "adapters/payload/json_text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

namespace signalbox {
namespace {

constexpr std::array<std::string_view, 12> odd_numbers{"12345678901234.56789",
                                                       "1e2",
                                                       "1.0",
                                                       "-0",
                                                       "-0.0",
                                                       "1E400",
                                                       "0.1000",
                                                       "123456789012345678901",
                                                       "1e-999",
                                                       "0",
                                                       "-9223372036854775809",
                                                       "1E+2"};
constexpr std::array<std::string_view, 6> texts{R"("x")",      R"("")",          R"("\u00fc")",
                                                R"("a\/b\n")", R"("1e400 {\"")", "\"\xc3\xbc\""};

/// Random JSON, without white space and nulls, of unique names.
class writer {
public:
  explicit writer(std::uint32_t seed) : random_{seed} {}

  std::string object(int depth) {
    std::string out = "{";
    const auto count = below(4);
    for (std::size_t i = 0; i < count; ++i)
      out += (i > 0 ? "," : "") + ("\"k" + std::to_string(i)) + "\":" + value(depth - 1);
    return out + '}';
  }

private:
  std::size_t below(std::size_t n) { return random_() % n; }

  std::string value(int depth) {
    switch (below(depth > 0 ? 6 : 4)) {
    case 0:
      return std::string{odd_numbers.at(below(odd_numbers.size()))};
    case 1:
      return std::string{texts.at(below(texts.size()))};
    case 2:
      return below(2) == 0 ? "true" : "false";
    case 3:
      return std::to_string(random_()) + "." + std::to_string(random_()) + "0";
    case 4:
      return object(depth);
    default:
      return "[" + value(depth - 1) + "," + value(depth - 1) + "]";
    }
  }

  std::mt19937 random_;
};

const timestamp now{std::chrono::seconds{1'700'000'000}};

job_context context_of(std::string payload) {
  job_context job;
  job.id = make_uuid_v7(now);
  job.created_at = now;
  job.payload = std::move(payload);
  return job;
}

std::string fcm_of(const job_context& job) {
  const auto body = render_fcm(job, {}, now);
  return body.ok() ? body.value.before_token + body.value.after_token : body.message;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

RC_GTEST_PROP(as_sent, what_a_live_activity_carries_goes_out_as_it_was_written,
              (std::uint32_t seed)) {
  writer random{seed};
  const auto state = random.object(4);
  const auto attributes = random.object(3);
  const auto over = random.object(3);
  std::vector<http::field_error> errors;
  const auto body = http::read_activity_body(
    R"({"action":"start","activityId":"a","activityType":"t","userId":"u", "payload" : )" + state +
      R"( ,"options":{"alert":{"body":"b"},"attributesType":"T","relevanceScore":0.10,"attributes":)" +
      attributes + R"(,"apns":{"payload":{"extra":)" + over + R"(}},"fcm":{"webpush":)" + over +
      "}}}",
    now, errors);
  RC_ASSERT(errors.empty());
  auto job = context_of(body.payload);
  job.activity = activity_event{.action = activity_action::start,
                                .activity = "a",
                                .type = "t",
                                .seq = 1,
                                .timestamp_s = 1'700'000'000,
                                .content_state = body.request.content_state,
                                .channel = {}};
  const auto apns = render_apns(job, "com.example.app");
  RC_ASSERT(has(apns.value.body, R"("content-state":)" + state));
  RC_ASSERT(has(apns.value.body, R"("attributes":)" + attributes));
  RC_ASSERT(has(apns.value.body, R"("relevance-score":0.10)"));
  RC_ASSERT(has(apns.value.body, R"("extra":)" + over));
  const auto fcm = fcm_of(job);
  RC_ASSERT(has(fcm, R"("webpush":)" + over));
  RC_ASSERT(has(fcm, R"("payload":)" + write_json_string(state)));
  json_members members{state};
  for (json_member one; members.next(one);)
    RC_ASSERT(has(
      fcm, std::string{one.name} + ':' +
             (one.value.starts_with('"') ? std::string{one.value} : write_json_string(one.value))));
}

RC_GTEST_PROP(as_sent, what_a_push_carries_goes_out_as_it_was_written, (std::uint32_t seed)) {
  writer random{seed};
  const auto apns_over = random.object(4);
  const auto fcm_over = random.object(4);
  std::vector<http::field_error> errors;
  const auto body = http::read_push_body(
    R"({"title":"T","apns":{"payload":{"aps":{"x":)" + apns_over + R"(}, "y" : )" + apns_over +
      R"(}},"data":{"a":"1.0"},"fcm":{"android":{"z":)" + fcm_over + "}}}",
    http::audience_source::path, now, errors);
  RC_ASSERT(errors.empty());
  const auto job = context_of(body.payload);
  const auto apns = render_apns(job, "com.example.app");
  RC_ASSERT(has(apns.value.body, R"("x":)" + apns_over));
  RC_ASSERT(has(apns.value.body, R"("y":)" + apns_over));
  RC_ASSERT(has(fcm_of(job), R"("z":)" + fcm_over));
  RC_ASSERT(has(fcm_of(job), R"("data":{"a":"1.0"})"));
}

} // namespace
} // namespace signalbox
