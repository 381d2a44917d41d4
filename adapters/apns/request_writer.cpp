#include "adapters/apns/request_writer.hpp"

#include "actors/apns_reactions.hpp"
#include "adapters/http2/plain_text.hpp"
#include "adapters/http2/retry_after.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <utility>

namespace signalbox {

namespace json = boost::json;

namespace {

constexpr std::string_view device_path = "/3/device/";
constexpr std::uint16_t forbidden = 403;
constexpr std::size_t longest_unique_id = 64; // a UUID, as far as is known

// Names are literals; what lives as long as the job or the connection needs no copy either.
constexpr int long_lived = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
// What changes from request to request, or with the provider token, is copied by nghttp2.
constexpr int copied = NGHTTP2_NV_FLAG_NO_COPY_NAME;

std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

} // namespace

apns_request_writer::apns_request_writer(std::string authority, std::string bundle,
                                         std::shared_ptr<provider_token> token,
                                         std::shared_ptr<rendered_jobs> jobs)
  : authority_{std::move(authority)}, bundle_{std::move(bundle)}, token_{std::move(token)},
    jobs_{std::move(jobs)} {}

std::string apns_request_writer::prepare() {
  auto authorization = token_ ? token_->current() : nullptr;
  if (!authorization)
    return std::string{apns_no_credentials};
  if (authorization != authorization_) {
    authorization_ = std::move(authorization);
    ++serial_;
    headers_are_current_ = false;
  }
  return {};
}

const http2_request* apns_request_writer::write(work_queue::active_work& of, std::uint32_t position,
                                                answer& failure) {
  const auto& work = *of.of();
  if (!of.rendered)
    of.rendered = jobs_->get(*work.job, bundle_);
  if (of.rendered.get() != job_.get())
    select(of.rendered);
  if (!job_->error.empty()) {
    failure.status = 400;
    failure.reason = job_->error;
    return nullptr;
  }
  if (!headers_are_current_)
    render_headers();
  const auto& target = work.targets[position];
  target_ = job_->request.broadcast_path.empty() ? device_path : std::string_view{};
  target_ += work.token(target);
  headers_[target_at_].value = bytes_of(target_);
  headers_[target_at_].valuelen = target_.size();
  job_->push_ids.id_for(target.id).write_to(id_.data());
  return &request_;
}

void apns_request_writer::select(std::shared_ptr<const void> rendered) {
  job_ = std::static_pointer_cast<const rendered_job>(std::move(rendered));
  headers_are_current_ = false;
}

void apns_request_writer::render_headers() {
  const auto& job = job_->request;
  headers_are_current_ = true;
  headers_.clear();
  add(":method", "POST", long_lived);
  add(":scheme", "https", long_lived);
  add(":authority", authority_, long_lived);
  if (job.broadcast_path.empty())
    add_device_headers();
  else
    add_broadcast_headers();
  add("authorization", *authorization_, copied | NGHTTP2_NV_FLAG_NO_INDEX);
  add("apns-push-type", job.push_type, long_lived);
  add("apns-priority", job.priority, long_lived);
  if (!job.expiration.empty())
    add_indexed_once(expiration_seen_, "apns-expiration", job.expiration, long_lived);
  if (!job.collapse_id.empty())
    add_indexed_once(collapse_id_seen_, "apns-collapse-id", job.collapse_id, long_lived);
  // The topic of a push is the bundle, unless its caller set another push type.
  const bool callers_topic =
    !job.topic.empty() && job.topic != bundle_ && job.push_type != "liveactivity";
  request_ = {headers_, {job.body}, serial_ << 1 | std::uint32_t{callers_topic}};
}

void apns_request_writer::add_device_headers() {
  target_at_ = headers_.size();
  add(":path", target_, copied);
  add("apns-topic", job_->request.topic, long_lived);
  add_indexed_once(id_seen_, "apns-id", {id_.data(), id_.size()}, copied);
}

void apns_request_writer::add_broadcast_headers() {
  add(":path", job_->request.broadcast_path, long_lived);
  target_at_ = headers_.size();
  add("apns-channel-id", target_, copied | NGHTTP2_NV_FLAG_NO_INDEX);
  add("apns-request-id", {id_.data(), id_.size()}, copied | NGHTTP2_NV_FLAG_NO_INDEX);
}

void apns_request_writer::add_indexed_once(bool& seen, std::string_view name,
                                           std::string_view value, int flags) {
  add(name, value, seen ? flags | NGHTTP2_NV_FLAG_NO_INDEX : flags);
  // The next request needs the other flag.
  if (!seen)
    headers_are_current_ = false;
  seen = true;
}

void apns_request_writer::add(std::string_view name, std::string_view value, int flags) {
  headers_.push_back(
    {bytes_of(name), bytes_of(value), name.size(), value.size(), static_cast<std::uint8_t>(flags)});
}

answer apns_request_writer::read(const http2_response& response, std::uint32_t note) {
  auto read = read_answer(response);
  read.callers_topic = (note & 1) != 0;
  if (read.status != forbidden)
    return read;
  is_about_current_ = note >> 1 == serial_ && authorization_ == token_->current();
  if (!is_about_current_ && classify_apns(read).configuration)
    read.reason = apns_token_replaced;
  return read;
}

answer apns_request_writer::read_answer(const http2_response& response) {
  answer read;
  read.status = response.status;
  read.retry_after_s = parse_retry_after(response.retry_after, std::chrono::system_clock::now());
  read.unique_id = plain_text(response.header, longest_unique_id);
  boost::system::error_code error;
  const auto body = json::parse(response.body, error);
  if (error || !body.is_object())
    return read;
  const auto& members = body.get_object();
  if (const auto* reason = members.if_contains("reason"); reason && reason->is_string())
    read.reason = plain_text(reason->get_string());
  if (const auto* at = members.if_contains("timestamp"); at && at->is_int64())
    read.timestamp_ms = at->get_int64();
  return read;
}

bool apns_request_writer::retires_connection(const answer& last) {
  const auto verdict = classify_apns(last);
  if (verdict.refresh_token && is_about_current_)
    token_->report_expired(authorization_);
  else if (last.status == forbidden && last.reason == "InvalidProviderToken" && is_about_current_)
    token_->report_refused(authorization_);
  if (last.status == 429 && last.reason == "TooManyProviderTokenUpdates")
    token_->report_too_many_updates();
  return verdict.reconnect;
}

} // namespace signalbox
