#pragma once

#include "actors/ports/directory.hpp"
#include "actors/ports/job_reader.hpp"
#include "adapters/http/response.hpp"

#include <string>
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

/// 201 for what was created, 200 for what was there.
response put_answer(put_outcome outcome, std::string body);

} // namespace signalbox::http
