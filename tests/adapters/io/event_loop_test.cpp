#include "adapters/io/descriptors.hpp"
#include "adapters/io/event_loop.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace signalbox {
namespace {

TEST(event_loop, goes_on_after_an_exception) {
  boost::asio::io_context io{1};
  bool reached = false;
  boost::asio::post(io, [] { throw std::runtime_error{"a handler's"}; });
  boost::asio::post(io, [&] { reached = true; });
  std::thread{[&] { run_loop(io, "test"); }}.join();
  EXPECT_TRUE(reached);
}

TEST(event_loop, that_is_prepared_takes_no_descriptor_later) {
  boost::asio::io_context io{1};
  prepare_loop(io);
  const auto before = open_descriptors();
  boost::asio::steady_timer timer{io};
  timer.expires_after(std::chrono::milliseconds{0});
  timer.async_wait([](boost::system::error_code) {});
  io.run();
  EXPECT_EQ(open_descriptors(), before);
}

} // namespace
} // namespace signalbox
