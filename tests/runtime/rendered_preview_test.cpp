#include "runtime/rendered_preview.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class rendered_preview : public testing::Test {
protected:
  rendered_preview() {
    settings.apns.key_file = "key.p8";
    settings.apns.bundle = "com.example.app";
    settings.fcm.service_account_file = "account.json";
    settings.fcm.job_marker.clear();
    job.created_at = timestamp{1'700'000'000s};
    job.payload = R"({"title":"T","badge":1,"data":{"k":"1.0"},)"
                  R"("apns":{"payload":{"price":1.10}},"fcm":{"android":{"priority":"normal"}}})";
  }

  std::string text() const { return render_preview(job, settings); }

  node_settings settings;
  job_context job;
};

TEST_F(rendered_preview, has_headers_and_payload_of_apns_and_the_message_of_fcm) {
  EXPECT_EQ(
    text(),
    R"({"apns":{"headers":{"apns-push-type":"alert","apns-priority":"10",)"
    R"("apns-topic":"com.example.app","apns-collapse-id":"00000000-0000-0000-0000-000000000000"},)"
    R"("payload":{"aps":{"alert":{"title":"T"},"badge":1},"k":"1.0","price":1.10}},)"
    R"("fcm":{"message":{"notification":{"title":"T"},"data":{"k":"1.0"},)"
    R"("android":{"priority":"normal",)"
    R"("notification":{"tag":"00000000-0000-0000-0000-000000000000"}}}}})");
}

TEST_F(rendered_preview, tells_when_it_expires_as_of_when_it_begins) {
  job.payload = R"({"silent":true,"data":{"k":"v"}})";
  job.options.ttl = 60s;
  job.not_before = timestamp{1'700'000'100s};
  EXPECT_EQ(text(), R"({"apns":{"headers":{"apns-push-type":"background","apns-priority":"5",)"
                    R"("apns-topic":"com.example.app","apns-expiration":"1700000160"},)"
                    R"("payload":{"aps":{"content-available":1},"k":"v"}},)"
                    R"("fcm":{"message":{"data":{"k":"v"},)"
                    R"("android":{"priority":"normal","ttl":"60s"}}}})");
}

TEST_F(rendered_preview, leaves_out_who_is_not_configured) {
  settings.fcm.service_account_file.clear();
  EXPECT_EQ(text().find("\"fcm\""), std::string::npos);
  EXPECT_NE(text().find("\"apns\""), std::string::npos);
  settings.apns.key_file.clear();
  EXPECT_EQ(text(), "{}");
}

} // namespace
} // namespace signalbox
