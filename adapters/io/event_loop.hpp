#pragma once

#include <boost/asio/io_context.hpp>

#include <string>

namespace signalbox {

/// Takes the descriptors that a loop needs for itself now, and not with its first timer or socket.
/// Throws boost::system::system_error when there are none.
void prepare_loop(boost::asio::io_context& io);

/// Runs `io` on this thread, which gets the name (at most 15 characters), until it is stopped or
/// out of work. What a handler throws is logged, and the loop goes on.
void run_loop(boost::asio::io_context& io, const std::string& thread_name);

} // namespace signalbox
