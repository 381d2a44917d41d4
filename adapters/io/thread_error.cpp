#include "adapters/io/thread_error.hpp"

#include <spdlog/spdlog.h>

namespace signalbox {

void log_thread_error(std::string_view thread_name, const std::exception& error) {
  spdlog::error("event=thread_error thread={} error={:?}", thread_name, error.what());
}

} // namespace signalbox
