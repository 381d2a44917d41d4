#include "adapters/simulator/fcm_service.hpp"

namespace signalbox::sim {

fcm_service::fcm_service(std::uint64_t seed)
  : provider_service{seed, {"404 UNREGISTERED", "403 SENDER_ID_MISMATCH"}} {}

void fcm_service::handle(const request&, answer& out) {
  stats_.count_request();
  stats_.count_rejected("UNIMPLEMENTED");
  out.status = 501;
  out.content_type = "application/json; charset=UTF-8";
  out.body = R"({"error":{"code":501,"message":"FCM is not simulated","status":"UNIMPLEMENTED"}})";
}

} // namespace signalbox::sim
