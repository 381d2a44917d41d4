#include "adapters/http2/dialer.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

using namespace signalbox;
using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using boost::asio::ip::tcp;

namespace {

class dialer_test : public testing::Test {
protected:
  /// A port of 127.0.0.2 where nobody accepts and no more connections find room: who connects
  /// hears nothing.
  tcp::endpoint make_silent() {
    silent_.open(tcp::v4());
    silent_.bind({make_address("127.0.0.2"), 0});
    silent_.listen(0);
    for (int i = 0; i < 16; ++i) {
      auto& filler = fillers_.emplace_back(io_);
      filler.async_connect(silent_.local_endpoint(), [](auto) {});
    }
    io_.run_for(200ms);
    io_.restart();
    return silent_.local_endpoint();
  }

  tcp::endpoint listen() {
    live_.open(tcp::v4());
    live_.bind({make_address("127.0.0.1"), 0});
    live_.listen();
    return live_.local_endpoint();
  }

  /// An address that refuses.
  tcp::endpoint closed_port() {
    tcp::acceptor port{io_, {make_address("127.0.0.1"), 0}};
    return port.local_endpoint();
  }

  std::shared_ptr<dialer> dial(std::vector<tcp::endpoint> addresses,
                               std::chrono::milliseconds time = 1s) {
    auto made = std::make_shared<dialer>(socket_, time);
    made->start(std::move(addresses), [this](auto error) {
      ++calls_;
      error_ = error;
    });
    return made;
  }

  void run() {
    for (int i = 0; i < 2'000 && calls_ == 0; ++i)
      io_.run_for(10ms);
  }

  boost::asio::io_context io_{1};
  tcp::acceptor silent_{io_};
  tcp::acceptor live_{io_};
  std::vector<tcp::socket> fillers_;
  std::shared_ptr<tcp::socket> socket_ = std::make_shared<tcp::socket>(io_);
  int calls_ = 0;
  boost::system::error_code error_;
};

TEST_F(dialer_test, one_address_that_answers) {
  dial({listen()});
  run();
  EXPECT_EQ(calls_, 1);
  EXPECT_FALSE(error_) << error_.message();
}

TEST_F(dialer_test, an_address_that_is_silent_does_not_keep_the_next_one_from_its_turn) {
  const auto live = listen();
  dial({make_silent(), live});
  run();
  ASSERT_EQ(calls_, 1);
  EXPECT_FALSE(error_) << error_.message();
  EXPECT_EQ(socket_->remote_endpoint(), live);
}

TEST_F(dialer_test, an_address_that_refuses_is_passed_by) {
  const auto live = listen();
  dial({closed_port(), closed_port(), live});
  run();
  ASSERT_EQ(calls_, 1);
  EXPECT_FALSE(error_) << error_.message();
  EXPECT_EQ(socket_->remote_endpoint(), live);
}

TEST_F(dialer_test, without_one_that_answers_the_last_says_why) {
  dial({make_silent(), closed_port()});
  run();
  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(error_, boost::asio::error::connection_refused);
}

TEST_F(dialer_test, is_silent_after_a_cancel) {
  const auto live = listen();
  dial({make_silent(), live})->cancel();
  socket_->close();
  io_.run_for(700ms);
  EXPECT_EQ(calls_, 0);
  EXPECT_FALSE(socket_->is_open());
}

TEST(alternate_families, begins_with_the_family_that_comes_first) {
  const tcp::endpoint a{make_address("::1"), 1};
  const tcp::endpoint b{make_address("::2"), 1};
  const tcp::endpoint c{make_address("::3"), 1};
  const tcp::endpoint x{make_address("10.0.0.1"), 1};
  const tcp::endpoint y{make_address("10.0.0.2"), 1};
  EXPECT_EQ(alternate_families({a, b, c, x, y}), (std::vector{a, x, b, y, c}));
  EXPECT_EQ(alternate_families({x, a}), (std::vector{x, a}));
  EXPECT_EQ(alternate_families({x, y}), (std::vector{x, y}));
}

} // namespace
