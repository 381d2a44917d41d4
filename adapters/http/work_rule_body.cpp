#include "adapters/http/work_rule_body.hpp"

#include "adapters/http/identifiers.hpp"
#include "adapters/http/json_reader.hpp"
#include "messages/app_name.hpp"

#include <array>
#include <span>

namespace signalbox::http {

namespace {

constexpr std::size_t max_reason = 256;

enum member : std::size_t { job, app, lane, topic, user, reason, provider, env };

constexpr std::array<std::string_view, 8> pause_names{
  "job_id", "app", "lane", "topic", "user", "reason", "provider", "environment"};
constexpr std::array<std::string_view, 7> cancel_names{"job_id", "app",    "lane",          "topic",
                                                       "user",   "reason", "created_before"};

class rule_reader {
public:
  rule_reader(work_rule_body& out, work_rule_form form,
              const std::function<bool(std::string_view)>& knows_lane, field_errors& errors)
    : out_(out), form_(form), knows_lane_(knows_lane), in_(errors) {}

  void read(json_value root) {
    auto object = in_.object(root, root_);
    if (!object)
      return;
    const std::span<const std::string_view> names =
      form_ == work_rule_form::pause ? std::span<const std::string_view>{pause_names}
                                     : std::span<const std::string_view>{cancel_names};
    in_.members(*object, root_, names, [this](std::size_t which, json_value value, json_place at) {
      if (which < provider)
        read_text(which, value, at);
      else if (form_ == work_rule_form::cancel)
        out_.created_before = in_.time(value, at);
      else
        read_destination(which, value, at);
    });
    check_whole();
  }

private:
  void read_text(std::size_t which, json_value value, const json_place& at) {
    const auto text = in_.text(value, at);
    named_ = named_ || which != reason;
    if (!text)
      return;
    auto& rule = out_.rule;
    switch (which) {
    case job:
      rule.job = uuid::parse(*text);
      if (!rule.job)
        in_.error(at, "is not the id of a job");
      break;
    case app:
      rule.app = find_app(*text);
      if (!rule.app)
        in_.error(at, "there is no app of this name");
      break;
    case lane:
      rule.lane = *text;
      if (!knows_lane_(*text))
        in_.error(at, "there is no lane of this name");
      break;
    case topic:
    case user:
      (which == topic ? rule.topic : rule.user) = *text;
      if (auto detail = check_identifier(*text))
        in_.error(at, *detail);
      break;
    default: // reason
      out_.reason = *text;
      if (text->size() > max_reason)
        in_.error(at, "must have at most 256 bytes");
    }
  }

  void read_destination(std::size_t which, json_value value, const json_place& at) {
    named_ = true;
    if (which == provider) {
      if (auto choice = in_.choice(value, at, {"apns", "fcm"}))
        out_.rule.provider = *choice == 0 ? platform::apns : platform::fcm;
    } else if (auto choice = in_.choice(value, at, {"production", "sandbox"})) {
      out_.rule.env = *choice == 0 ? environment::production : environment::sandbox;
    }
  }

  void check_whole() {
    const auto& rule = out_.rule;
    if (!named_)
      in_.error(root_, form_ == work_rule_form::pause
                         ? "one of job_id, app, lane, topic, user, provider and environment is "
                           "needed"
                         : "one of job_id, app, lane, topic and user is needed");
    if (!rule.topic.empty() && !rule.user.empty())
      in_.error(root_.member("user"), "cannot stand beside topic: a job has one of them");
    if (rule.provider == platform::fcm && rule.env == environment::sandbox)
      in_.error(root_.member("environment"), "of FCM can only be production");
  }

  work_rule_body& out_;
  work_rule_form form_;
  const std::function<bool(std::string_view)>& knows_lane_;
  json_reader in_;
  json_place root_;
  bool named_ = false;
};

} // namespace

work_rule_body read_work_rule_body(std::string_view text, work_rule_form form,
                                   const std::function<bool(std::string_view)>& knows_lane,
                                   std::vector<field_error>& errors) {
  work_rule_body out;
  json_document document{text};
  if (!document.problem().empty())
    errors.push_back({"", document.problem()});
  else
    rule_reader{out, form, knows_lane, errors}.read(document.root());
  return out;
}

} // namespace signalbox::http
