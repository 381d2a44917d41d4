#include "adapters/fcm/request_writer.hpp"

#include "actors/fcm_reactions.hpp"
#include "adapters/fcm/error_body.hpp"
#include "adapters/http2/retry_after.hpp"

#include <chrono>
#include <utility>

namespace signalbox {

namespace {

constexpr std::string_view escaped_in_json = "\"\\";

nghttp2_nv field(std::string_view name, std::string_view value, int flags) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(),
          static_cast<std::uint8_t>(flags | NGHTTP2_NV_FLAG_NO_COPY_NAME)};
}

} // namespace

fcm_request_writer::fcm_request_writer(std::string authority, std::shared_ptr<access_token> token,
                                       std::shared_ptr<rendered_bodies> bodies)
  : authority_{std::move(authority)}, token_{std::move(token)}, bodies_{std::move(bodies)} {}

std::string fcm_request_writer::prepare() {
  auto credentials = token_->current(access_token::clock::now());
  if (!credentials)
    return token_->obstacle();
  if (credentials != credentials_) {
    credentials_ = std::move(credentials);
    render_headers();
  }
  now_ = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  return {};
}

const http2_request* fcm_request_writer::write(work_queue::active_work& of, std::uint32_t position,
                                               answer& failure) {
  const auto& work = *of.of();
  const auto& bodies = bodies_of(of);
  const auto& job = *bodies.latest;
  const auto token = work.token(work.targets[position]);
  if (!job.error.empty()) {
    failure.status = 400;
    failure.reason = job.error;
    return nullptr;
  }
  if (bodies.has_odd_tokens && token.find_first_of(escaped_in_json) != token.npos) {
    failure.status = 400;
    failure.reason = fcm_bad_token;
    return nullptr;
  }
  // It waited here past its deadline.
  if (job.ttl && job.ttl->count() == 0 && !work.job->single_try() &&
      now_ >= *work.job->deadline()) {
    failure.kind = answer_kind::unsent;
    failure.reason = fcm_too_late;
    return nullptr;
  }
  request_.body = {job.body.before_token, token, job.body.after_token};
  return &request_;
}

const fcm_request_writer::work_bodies& fcm_request_writer::bodies_of(work_queue::active_work& of) {
  const auto* known = static_cast<const work_bodies*>(of.rendered.get());
  const auto& work = *of.of();
  if (known != nullptr && known->latest->ttl == remaining_fcm_ttl(*work.job, now_))
    return *known;
  const bool odd = known != nullptr ? known->has_odd_tokens
                                    : work.text.find_first_of(escaped_in_json) != std::string::npos;
  const auto fresh = std::make_shared<const work_bodies>(
    work_bodies{bodies_->get(*work.job, now_), odd, of.rendered});
  of.rendered = fresh;
  return *fresh;
}

void fcm_request_writer::render_headers() {
  // What changes with the access token is copied by nghttp2: requests under way may outlive it.
  constexpr int copied = NGHTTP2_NV_FLAG_NONE;
  constexpr int long_lived = NGHTTP2_NV_FLAG_NO_COPY_VALUE;
  headers_ = {
    field(":method", "POST", long_lived),
    field(":scheme", "https", long_lived),
    field(":authority", authority_, long_lived),
    field(":path", credentials_->path, copied),
    field("authorization", credentials_->authorization, copied | NGHTTP2_NV_FLAG_NO_INDEX),
    field("content-type", "application/json", long_lived),
  };
  request_.headers = headers_;
  request_.note = credentials_->serial;
}

answer fcm_request_writer::read(const http2_response& response, std::uint32_t note) {
  answer read;
  read.status = response.status;
  read.retry_after_s = parse_retry_after(response.retry_after, std::chrono::system_clock::now());
  // A fan-out to many dead tokens is answered with the same words again and again.
  if (response.body != last_error_body_) {
    last_error_body_ = response.body;
    last_reason_ = read_fcm_error(response.body);
  }
  read.reason = last_reason_;
  if (classify_fcm(read).refresh_token && token_->report_refused(note, access_token::clock::now()))
    read.reason = fcm_credentials_refused;
  return read;
}

bool fcm_request_writer::retires_connection(const answer&) {
  return false;
}

} // namespace signalbox
