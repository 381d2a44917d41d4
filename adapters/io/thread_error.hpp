#pragma once

#include <exception>
#include <string_view>

namespace signalbox {

/// Logs what a piece of a thread's work threw, `event=thread_error`; the thread goes on.
void log_thread_error(std::string_view thread_name, const std::exception& error);

} // namespace signalbox
