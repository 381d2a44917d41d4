#include "adapters/http/event_texts.hpp"

#include "adapters/http/json_writer.hpp"
#include "adapters/http/views.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace signalbox::http {

namespace {

// A line break would end the data. JSON has them only between its tokens.
std::string event(std::string_view name, std::string data) {
  std::replace_if(
    data.begin(), data.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  std::string text = "event: ";
  text += name;
  text += "\ndata: ";
  text += data;
  text += "\n\n";
  return text;
}

std::string write_waiting(const backlog& waiting) {
  return json_writer{}
    .add("ready_chunks", waiting.ready_chunks)
    .add("due_retries", waiting.due_retries)
    .add("waiting_retries", waiting.waiting_retries)
    .add("scheduled_jobs", waiting.scheduled_jobs)
    .add("oldest_due_ms", static_cast<std::int64_t>(waiting.oldest_due_age.count()))
    .take();
}

std::string write_lane(const lane_report& report) {
  json_writer rates;
  for (std::size_t status = 0; status < report.rates.size(); ++status)
    if (const auto name = to_string(static_cast<outcome_status>(status)); !name.empty())
      rates.add(name, static_cast<std::int64_t>(report.rates[status]));
  json_writer mailboxes;
  for (const auto& one : report.mailboxes)
    mailboxes.add_json(one.stage,
                       json_writer{}.add("depth", one.depth).add("capacity", one.capacity).take());
  std::string breakers = "[";
  for (const auto& one : report.breakers) {
    if (breakers.size() > 1)
      breakers += ',';
    breakers += write_breaker(one);
  }
  return json_writer{}
    .add("lane", report.lane)
    .add_json("outcomes_per_second", rates.take())
    .add_json("waiting", report.waiting ? write_waiting(*report.waiting) : "null")
    .add_json("mailboxes", mailboxes.take())
    .add_json("breakers", breakers + ']')
    .take();
}

} // namespace

event_texts make_event_texts() {
  return {[](const job_view& job) { return event("job", write_job(job)); },
          [](const activity_view& activity) { return event("activity", write_activity(activity)); },
          [](const lane_report& report) { return event("lane", write_lane(report)); },
          event("stop", json_writer{}.add("reason", "the node stops").take()), ":\n\n"};
}

} // namespace signalbox::http
