#include "runtime/unconfigured_transport.hpp"

#include <utility>

namespace signalbox {

void unconfigured_transport::on_answers(std::function<void(std::vector<answer_batch>)> sink) {
  sink_ = std::move(sink);
}

void unconfigured_transport::submit(work_ptr of, std::uint32_t first, std::uint32_t count) {
  answer_batch batch;
  batch.of = std::move(of);
  for (std::uint32_t i = 0; i < count; ++i) {
    answer refused;
    refused.position = first + i;
    refused.reason = "ProviderNotConfigured";
    batch.others.push_back(std::move(refused));
  }
  sink_({std::move(batch)});
}

void unconfigured_transport::stop(std::function<void()> done) {
  done();
}

verdict unconfigured_transport::judge(const answer& from) {
  verdict result;
  result.reason = from.reason;
  return result;
}

} // namespace signalbox
