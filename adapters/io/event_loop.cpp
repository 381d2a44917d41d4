#include "adapters/io/event_loop.hpp"

#include "adapters/io/thread_error.hpp"

#include <boost/asio/steady_timer.hpp>

#include <exception>
#include <pthread.h>

namespace signalbox {

void prepare_loop(boost::asio::io_context& io) {
  // The first object that waits makes the reactor.
  const boost::asio::steady_timer first{io};
}

void run_loop(boost::asio::io_context& io, const std::string& thread_name) {
  pthread_setname_np(pthread_self(), thread_name.c_str());
  for (;;)
    try {
      io.run();
      return;
    } catch (const std::exception& error) {
      log_thread_error(thread_name, error);
    }
}

} // namespace signalbox
