#pragma once

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>
#include <utility>

namespace signalbox::tests {

/// Takes what is logged while it lives. Outlives the threads that log.
class log_capture {
public:
  log_capture() {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "captured", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
  }

  ~log_capture() { spdlog::set_default_logger(std::move(before_)); }

  log_capture(const log_capture&) = delete;
  log_capture& operator=(const log_capture&) = delete;

  /// When nobody logs any more.
  std::string text() const { return text_.str(); }

private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

} // namespace signalbox::tests
