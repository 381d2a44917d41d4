#include "adapters/apns/channel_answer.hpp"

#include "adapters/http2/plain_text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>

namespace signalbox {

namespace json = boost::json;

namespace {

struct known_reason {
  std::string_view reason;
  errc code;
  std::string_view text;
};

constexpr std::array known_reasons{
  known_reason{"ChannelNotRegistered", errc::not_found,
               "There is no such channel in this environment"},
  known_reason{"BadChannelId", errc::invalid, "This is not the id of a channel"},
  known_reason{"CannotCreateChannelConfig", errc::conflict,
               "The app has as many channels as APNs allows in this environment (10,000): delete "
               "some first"},
  known_reason{"FeatureNotEnabled", errc::conflict,
               "The app may not use broadcast channels: enable the Broadcast Capability of its "
               "bundle id in Apple's developer account"},
  known_reason{"TopicDisallowed", errc::conflict, "APNs does not let this key manage the bundle"},
  known_reason{"ExpiredProviderToken", errc::unavailable,
               "The provider token had expired and is being replaced"},
};

constexpr std::uint16_t forbidden = 403;
constexpr std::uint16_t too_many_requests = 429;

} // namespace

std::string channel_refusal_reason(std::string_view body) {
  boost::system::error_code error;
  const auto parsed = json::parse(body, error);
  const auto* object = error ? nullptr : parsed.if_object();
  const auto* reason = object == nullptr ? nullptr : object->if_contains("reason");
  return reason != nullptr && reason->is_string() ? plain_text(reason->get_string())
                                                  : std::string{};
}

result<unit> judge_channel_refusal(const http2_response& response) {
  const auto reason = channel_refusal_reason(response.body);
  const auto status = std::to_string(response.status);
  const auto known = std::find_if(known_reasons.begin(), known_reasons.end(),
                                  [&](const known_reason& each) { return each.reason == reason; });
  const auto told = " (APNs: " + status + (reason.empty() ? "" : " " + reason) + ").";
  if (known != known_reasons.end())
    return result<unit>::failure(known->code, std::string{known->text} + told);
  if (response.status == too_many_requests || response.status >= 500)
    return result<unit>::failure(errc::unavailable,
                                 "APNs cannot manage channels at the moment" + told);
  if (response.status == forbidden)
    return result<unit>::failure(errc::conflict, "APNs refuses the app's credentials" + told);
  return result<unit>::failure(errc::conflict, "APNs refuses the request" + told);
}

result<std::vector<std::string>> read_channel_list(std::string_view body) {
  using list = result<std::vector<std::string>>;
  const auto broken = list::failure(errc::unavailable, "APNs' list of channels cannot be read.");
  boost::system::error_code error;
  const auto parsed = json::parse(body, error);
  const auto* object = error ? nullptr : parsed.if_object();
  const auto* channels = object == nullptr ? nullptr : object->if_contains("channels");
  if (channels == nullptr || !channels->is_array())
    return broken;
  std::vector<std::string> ids;
  for (const auto& id : channels->get_array()) {
    if (!id.is_string())
      return broken;
    ids.emplace_back(id.get_string());
  }
  std::sort(ids.begin(), ids.end());
  return list::success(std::move(ids));
}

} // namespace signalbox
