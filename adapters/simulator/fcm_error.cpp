#include "adapters/simulator/fcm_error.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <array>

namespace signalbox::sim {

namespace json = boost::json;

namespace {

struct known_code {
  std::string_view code;
  std::string_view canonical;
  std::string_view message;
};

constexpr std::array known_codes{
  known_code{"UNREGISTERED", "NOT_FOUND", "Requested entity was not found."},
  known_code{"SENDER_ID_MISMATCH", "PERMISSION_DENIED", "SenderId mismatch"},
  known_code{"QUOTA_EXCEEDED", "RESOURCE_EXHAUSTED", "Quota exceeded for messages."},
  known_code{"UNAVAILABLE", "UNAVAILABLE", "The service is currently unavailable."},
  known_code{"INTERNAL", "INTERNAL", "Internal error encountered."},
  known_code{"THIRD_PARTY_AUTH_ERROR", "UNAUTHENTICATED",
             "Request is missing required authentication credential."},
  known_code{"INVALID_ARGUMENT", "INVALID_ARGUMENT",
             "The registration token is not a valid FCM registration token"},
};

const known_code* find_code(std::string_view code) {
  for (const auto& known : known_codes)
    if (known.code == code)
      return &known;
  return nullptr;
}

std::string_view canonical_of(int status) {
  switch (status) {
  case 400:
    return "INVALID_ARGUMENT";
  case 401:
    return "UNAUTHENTICATED";
  case 403:
    return "PERMISSION_DENIED";
  case 404:
    return "NOT_FOUND";
  case 429:
    return "RESOURCE_EXHAUSTED";
  case 503:
    return "UNAVAILABLE";
  default:
    return status < 500 ? "FAILED_PRECONDITION" : "INTERNAL";
  }
}

} // namespace

std::string_view fcm_error::name() const noexcept {
  if (!code.empty())
    return code;
  return canonical.empty() ? canonical_of(status) : canonical;
}

void write_fcm_error(const fcm_error& error, answer& out) {
  const auto* known = find_code(error.code);
  json::array details;
  if (known != nullptr)
    details.push_back(json::object{{"@type", "type.googleapis.com/google.firebase.fcm.v1.FcmError"},
                                   {"errorCode", error.code}});
  if (!error.field.empty())
    details.push_back(json::object{
      {"@type", "type.googleapis.com/google.rpc.BadRequest"},
      {"fieldViolations",
       json::array{json::object{{"field", error.field}, {"description", error.message}}}}});
  auto canonical = error.canonical;
  if (canonical.empty())
    canonical = known != nullptr ? known->canonical : canonical_of(error.status);
  json::object content{{"code", error.status}, {"message", error.message}, {"status", canonical}};
  if (error.message.empty())
    content["message"] = known != nullptr ? known->message : canonical;
  if (!details.empty())
    content["details"] = std::move(details);
  out.status = error.status;
  out.body = json::serialize(json::object{{"error", std::move(content)}});
}

} // namespace signalbox::sim
