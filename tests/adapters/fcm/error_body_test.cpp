#include "adapters/fcm/error_body.hpp"

#include <gtest/gtest.h>

using namespace signalbox;

namespace {

TEST(fcm_error_body, fcms_own_code_goes_before_the_canonical_one) {
  EXPECT_EQ(read_fcm_error(R"({"error":{"code":404,"message":"Requested entity was not found.",)"
                           R"("status":"NOT_FOUND","details":[{"@type":)"
                           R"("type.googleapis.com/google.firebase.fcm.v1.FcmError",)"
                           R"("errorCode":"UNREGISTERED"}]}})"),
            "UNREGISTERED");
  EXPECT_EQ(read_fcm_error(R"({"error":{"code":404,"status":"NOT_FOUND"}})"), "NOT_FOUND");
  EXPECT_EQ(read_fcm_error(R"({"error":{"status":"UNAUTHENTICATED","details":[{"@type":)"
                           R"("type.googleapis.com/google.rpc.ErrorInfo",)"
                           R"("reason":"ACCESS_TOKEN_EXPIRED"}]}})"),
            "UNAUTHENTICATED");
}

TEST(fcm_error_body, an_invalid_argument_is_named_with_its_field) {
  EXPECT_EQ(read_fcm_error(R"({"error":{"status":"INVALID_ARGUMENT","details":[{"@type":)"
                           R"("type.googleapis.com/google.rpc.BadRequest","fieldViolations":)"
                           R"([{"field":"message.android.ttl","description":"x"}]}]}})"),
            "INVALID_ARGUMENT:message.android.ttl");
  EXPECT_EQ(read_fcm_error(R"({"error":{"status":"INVALID_ARGUMENT","details":[{"@type":)"
                           R"("type.googleapis.com/google.rpc.BadRequest","fieldViolations":)"
                           R"([{"field":"message.data[0].value","description":"x"}]}]}})"),
            "INVALID_ARGUMENT:message.data");
}

TEST(fcm_error_body, a_bad_token_is_known_by_the_field_or_by_fcms_words) {
  EXPECT_EQ(
    read_fcm_error(R"({"error":{"message":"x","status":"INVALID_ARGUMENT","details":[{"@type":)"
                   R"("type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":)"
                   R"("INVALID_ARGUMENT"},{"@type":"type.googleapis.com/google.rpc.BadRequest",)"
                   R"("fieldViolations":[{"field":"message.token"}]}]}})"),
    "INVALID_ARGUMENT:message.token");
  const auto with_message = [](const std::string& message) {
    return R"({"error":{"message":")" + message +
           R"(","status":"INVALID_ARGUMENT","details":[{"@type":)"
           R"("type.googleapis.com/google.firebase.fcm.v1.FcmError",)"
           R"("errorCode":"INVALID_ARGUMENT"}]}})";
  };
  EXPECT_EQ(
    read_fcm_error(with_message("The registration token is not a valid FCM registration token")),
    "INVALID_ARGUMENT:message.token");
  EXPECT_EQ(read_fcm_error(with_message("Android message is too big")), "INVALID_ARGUMENT");
}

TEST(fcm_error_body, the_words_alone_blame_nobody) {
  EXPECT_EQ(read_fcm_error(R"({"error":{"message":"registration token",)"
                           R"("status":"INVALID_ARGUMENT"}})"),
            "INVALID_ARGUMENT");
}

TEST(fcm_error_body, what_is_no_code_cannot_spoil_a_log) {
  EXPECT_EQ(read_fcm_error(R"({"error":{"status":"BAD\n\"STATE\" \u00e9"}})"), "BAD??STATE? ??");
}

TEST(fcm_error_body, what_is_no_error_of_google_says_nothing) {
  for (const auto* odd : {"", "<html>", "[]", "{}", R"({"error":"x"})", R"({"error":{}})",
                          R"({"error":{"status":5,"details":5}})",
                          R"({"error":{"details":[5,{"@type":"FcmError","errorCode":5}]}})"})
    EXPECT_EQ(read_fcm_error(odd), "") << odd;
}

} // namespace
