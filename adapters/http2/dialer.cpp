#include "adapters/http2/dialer.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <utility>

namespace signalbox {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds least_limit{250};

} // namespace

std::vector<tcp::endpoint> alternate_families(const std::vector<tcp::endpoint>& addresses) {
  std::vector<tcp::endpoint> first;
  std::vector<tcp::endpoint> other;
  for (const auto& each : addresses)
    (each.protocol() == addresses.front().protocol() ? first : other).push_back(each);
  std::vector<tcp::endpoint> mixed;
  for (std::size_t i = 0; i < std::max(first.size(), other.size()); ++i)
    for (const auto* family : {&first, &other})
      if (i < family->size())
        mixed.push_back((*family)[i]);
  return mixed;
}

dialer::dialer(std::shared_ptr<tcp::socket> socket, std::chrono::milliseconds time)
  : socket_{std::move(socket)}, time_{time}, limit_{socket_->get_executor()} {}

void dialer::start(std::vector<tcp::endpoint> addresses, callback done) {
  addresses_ = std::move(addresses);
  done_ = std::move(done);
  try_next();
}

void dialer::cancel() {
  done_ = nullptr;
  limit_.cancel();
}

void dialer::try_next() {
  const auto& to = addresses_[next_++];
  if (next_ < addresses_.size())
    limit_attempt();
  socket_->async_connect(
    to, [self = shared_from_this()](error_code error) { self->end_attempt(error); });
}

void dialer::limit_attempt() {
  const auto count = static_cast<std::int64_t>(addresses_.size());
  limit_.expires_after(std::max(least_limit, time_ / (2 * count)));
  limit_.async_wait([self = shared_from_this(), attempt = next_](error_code error) {
    if (error || !self->done_ || self->next_ != attempt)
      return;
    error_code ignored;
    self->socket_->close(ignored);
  });
}

void dialer::end_attempt(error_code error) {
  if (!done_)
    return;
  limit_.cancel();
  if (!socket_->is_open()) // its time was up, perhaps just when it answered
    error = asio::error::timed_out;
  if (!error || next_ == addresses_.size())
    return std::exchange(done_, nullptr)(error);
  error_code ignored;
  socket_->close(ignored);
  try_next();
}

} // namespace signalbox
