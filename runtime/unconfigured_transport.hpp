#pragma once

#include "actors/ports/provider_transport.hpp"
#include "actors/verdict.hpp"

namespace signalbox {

/// Stands in for a provider without credentials: every target is answered at once, and judged
/// *rejected* with the reason "ProviderNotConfigured", so that the account of a job that names such
/// devices closes.
class unconfigured_transport : public provider_transport {
public:
  void on_answers(std::function<void(std::vector<answer_batch>)> sink) override;
  void submit(work_ptr of, std::uint32_t first, std::uint32_t count) override;
  void withdraw(work_ptr) override {} ///< nothing ever waits
  void stop(std::function<void()> done) override;

  static verdict judge(const answer& from);

private:
  std::function<void(std::vector<answer_batch>)> sink_;
};

} // namespace signalbox
