#include "adapters/http/refusal_list.hpp"

#include "adapters/http/json_writer.hpp"

namespace signalbox::http {

namespace {

constexpr std::int64_t max_listed = 1'000;
constexpr std::size_t max_bytes = 256 * 1024;

} // namespace

void refusal_list::add(std::size_t line, const field_error& error) {
  ++count_;
  // None after one that was left out: the list is where a client begins to mend.
  if (listed_count_ == max_listed || listed_.size() > max_bytes || listed_count_ + 1 < count_)
    return;
  ++listed_count_;
  if (!listed_.empty())
    listed_ += ',';
  append_error(listed_, error);
  if (line > 0)
    listed_ += ",\"line\":" + std::to_string(line);
  listed_ += '}';
}

response refusal_list::answer(std::int64_t created, std::int64_t updated) const {
  return {.body = json_writer{}
                    .add("created", created)
                    .add("updated", updated)
                    .add("refused", count_)
                    .add_json("errors", '[' + listed_ + ']')
                    .add("errors_omitted", count_ - listed_count_)
                    .take()};
}

} // namespace signalbox::http
