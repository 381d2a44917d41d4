#pragma once

#include "actors/breaker_board.hpp"
#include "actors/ports/activity_directory.hpp"
#include "actors/ports/dead_letters.hpp"
#include "actors/ports/directory.hpp"
#include "actors/ports/job_control.hpp"
#include "actors/ports/job_reader.hpp"
#include "adapters/http/response.hpp"

#include <string>
#include <string_view>
#include <vector>

// The JSON in which the API shows what the ports answer.

namespace signalbox::http {

std::string write_user(const user_view& user);
std::string write_topic(const topic_view& topic);
std::string write_subscription(const subscription_view& subscription);
std::string write_token(const token_view& token);
std::string write_job(const job_view& job);
/// With the outcomes counted by reason.
std::string write_job(const job_view& job, const std::vector<reason_count>& reasons);
std::string write_receipt(const receipt_view& receipt);
std::string write_pause(const pause_view& pause);
std::string write_dead_letter(const dead_letter_view& letter);
std::string write_replay(const replay_result& replay, std::string_view status);
std::string write_activity(const activity_view& activity);
std::string write_dispatch(const dispatch_view& dispatch);
std::string write_breaker(const breaker_view& breaker);

/// 201 for what was created, 200 for what was there.
response put_answer(put_outcome outcome, std::string body);

} // namespace signalbox::http
