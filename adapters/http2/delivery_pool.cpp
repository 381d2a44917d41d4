#include "adapters/http2/delivery_pool.hpp"

#include <algorithm>
#include <utility>

namespace signalbox {

namespace {

using state = client_connection::state;

constexpr std::size_t draining_per_connection = 3;
constexpr std::string_view refused_too_often = "refused";
constexpr std::string_view held_back = "paced";
constexpr std::string_view no_streams = "the peer allows no streams";
constexpr std::uint16_t too_many_requests = 429;
// How often writers without credentials are asked again.
constexpr std::chrono::milliseconds obstacle_interval{50};

// What a stream that outlives its answer may still read.
struct request_memory {
  std::shared_ptr<const void> rendered;
  work_ptr of;
};

bool is_draining(const client_connection& connection) {
  return connection.current_state() == state::draining;
}

bool is_new(const client_connection& connection) {
  return connection.current_state() == state::connecting ||
         connection.current_state() == state::warming;
}

} // namespace

delivery_pool::delivery_pool(const boost::asio::any_io_executor& executor,
                             boost::asio::ssl::context& context, pool_options options,
                             pool_stats& stats, writer_factory new_writer,
                             std::function<void(delivery_pool&)> on_answers)
  : executor_{executor}, context_{context}, options_{std::move(options)}, stats_{stats},
    new_writer_{std::move(new_writer)}, on_answers_{std::move(on_answers)},
    reconnect_{options_.reconnect}, reconnect_timer_{executor}, waiting_timer_{executor},
    again_timer_{executor}, stream_limit_{options_.connection.max_streams} {}

delivery_pool::~delivery_pool() {
  stats_.connections.add(-static_cast<std::int64_t>(members_.size()));
  stats_.waiting.add(-noted_waiting_);
}

void delivery_pool::push(const work_ptr& of, std::uint32_t first, std::uint32_t count) {
  queue_.push(of, first, count, clock::now());
  if (stopped_)
    give_up(clock::time_point::max(), last_error_);
}

void delivery_pool::dispatch() {
  send_waiting();
  note_waiting();
}

void delivery_pool::send_waiting() {
  for (auto& to : members_) {
    if (queue_.waiting() == 0)
      return;
    if (to.connection->free_streams() == 0)
      continue;
    send_on(to);
    to.connection->flush();
  }
  if (queue_.waiting() == 0)
    return;
  open_connections();
  wait_for_connection();
}

void delivery_pool::send_on(member& to) {
  auto& connection = *to.connection;
  if (queue_.waiting() == 0 || connection.free_streams() == 0)
    return;
  const auto now = clock::now();
  auto obstacle = to.writer->prepare();
  obstructed_ = !obstacle.empty();
  if (obstructed_) {
    last_error_ = std::move(obstacle);
    return look_again(now + obstacle_interval);
  }
  auto admitted = options_.gate ? options_.gate->admit(now) : send_gate::unlimited;
  while (queue_.waiting() > 0 && connection.free_streams() > 0 && admitted > 0) {
    const auto pick = queue_.next();
    answer failure;
    const auto* request = to.writer->write(*pick.from, pick.position, failure);
    if (request == nullptr) {
      refuse(*pick.from, pick.position, std::move(failure));
    } else if (connection.submit(*request, {pick.from, pick.position, pick.tries, request->note},
                                 now)) {
      stats_.streams.add(1);
      --admitted;
    } else {
      queue_.resend(pick, now);
      break;
    }
  }
  if (!options_.gate)
    return;
  if (admitted == 1)
    options_.gate->give_back();
  else if (queue_.waiting() > 0)
    wait_for_gate(now);
}

void delivery_pool::wait_for_gate(clock::time_point now) {
  const auto again = options_.gate->ask_again(now);
  if (again - now > options_.connection.request_timeout)
    give_up(clock::time_point::max(), held_back);
  else
    look_again(again);
}

void delivery_pool::on_response(client_connection& from, const client_connection::request_tag& tag,
                                const http2_response& response, std::string_view error) {
  auto& of = *static_cast<work*>(tag.owner);
  stats_.streams.add(-1);
  if (response.status == 200) {
    reconnect_.reset();
    if (options_.gate)
      options_.gate->confirm();
    stats_.accepted.add(1);
    accepted_in_turn_ = true;
    queue_.accept(of, tag.position);
    return tell_answers();
  }
  if (response.end == stream_end::refused)
    return resend({&of, tag.position, static_cast<std::uint8_t>(tag.tries + 1)}, error);
  if (response.end == stream_end::unprocessed)
    return resend({&of, tag.position, tag.tries}, error);
  answer other;
  if (response.status != 0) {
    reconnect_.reset();
    auto& writer = *member_of(from).writer;
    other = writer.read(response, tag.note);
    if (options_.gate && response.status == too_many_requests)
      options_.gate->throttle(clock::now(), std::chrono::seconds{other.retry_after_s});
    else if (options_.gate)
      options_.gate->confirm();
    if (writer.retires_connection(other))
      from.retire();
  } else {
    other.kind = answer_kind::unknown;
    other.reason = error;
    other.provider_alive = accepted_in_turn_ || last_accepted_ > response.submitted_at;
  }
  refuse(of, tag.position, std::move(other));
}

void delivery_pool::resend(const work_queue::pick& unprocessed, std::string_view error) {
  stats_.resent.add(1);
  if (!stopped_ && unprocessed.tries < max_tries)
    return queue_.resend(unprocessed, clock::now());
  answer unsent;
  unsent.kind = answer_kind::unsent;
  unsent.reason = refused_too_often;
  if (stopped_)
    unsent.reason = last_error_;
  else if (!error.empty())
    unsent.reason = error;
  refuse(*unprocessed.from, unprocessed.position, std::move(unsent));
}

void delivery_pool::refuse(work& from, std::uint32_t position, answer other) {
  other.position = position;
  count(other);
  queue_.refuse(from, std::move(other));
  tell_answers();
}

void delivery_pool::count(const answer& other) {
  switch (other.kind) {
  case answer_kind::answered:
    return stats_.refused.add(1);
  case answer_kind::unsent:
    return stats_.unsent.add(1);
  case answer_kind::unknown:
    return stats_.unknown.add(1);
  }
}

std::shared_ptr<const void> delivery_pool::memory_of(const client_connection::request_tag& tag) {
  const auto& of = *static_cast<work*>(tag.owner);
  return std::make_shared<const request_memory>(request_memory{of.rendered, of.of()});
}

void delivery_pool::on_turn(client_connection& from) {
  if (std::exchange(accepted_in_turn_, false))
    last_accepted_ = clock::now();
  stream_limit_ = from.stream_limit();
  auto& member = member_of(from);
  if (!std::exchange(member.connected, true))
    stats_.connects.add(1);
  send_on(member);
  dispatch();
}

void delivery_pool::on_goaway(client_connection&) {
  stats_.goaways.add(1);
}

void delivery_pool::on_closed(client_connection& from, const std::string& error) {
  const bool failed = !error.empty() || !from.was_ready();
  if (!error.empty() && !stopped_)
    last_error_ = error;
  std::erase_if(members_, [&](const auto& one) { return one.connection.get() == &from; });
  stats_.connections.add(-1);
  if (stopped_)
    return;
  if (failed) {
    stats_.connect_errors.add(1);
    reconnect_later();
  }
  dispatch();
}

delivery_pool::member& delivery_pool::member_of(const client_connection& connection) {
  return *std::find_if(members_.begin(), members_.end(),
                       [&](const auto& one) { return one.connection.get() == &connection; });
}

void delivery_pool::open_connections() {
  if (reconnect_pending_ || stopped_)
    return;
  std::size_t fresh = 0;
  std::size_t draining = 0;
  for (const auto& one : members_) {
    fresh += is_new(*one.connection) ? 1 : 0;
    draining += is_draining(*one.connection) ? 1 : 0;
  }
  if (draining >= draining_per_connection * options_.connections)
    return;
  const auto streams = std::max<std::size_t>(1, stream_limit_);
  // After a failure one connection finds out for all.
  const auto wanted = reconnect_.has_failed() ? 1 : (queue_.waiting() + streams - 1) / streams;
  for (auto active = members_.size() - draining; fresh < wanted && active < options_.connections;
       ++fresh, ++active)
    if (!open_connection())
      return;
}

// Where there is no memory, thread or TLS state for one, it failed like any other.
bool delivery_pool::open_connection() {
  std::shared_ptr<client_connection> connection;
  try {
    connection = std::make_shared<client_connection>(
      executor_, context_, options_.connection, static_cast<client_connection::observer&>(*this));
    members_.push_back({connection, new_writer_(), false});
    connection->open();
  } catch (const std::exception& error) {
    last_error_ = error.what();
    std::erase_if(members_, [&](const auto& one) { return one.connection == connection; });
    stats_.connect_errors.add(1);
    reconnect_later();
    return false;
  }
  stats_.connections.add(1);
  return true;
}

void delivery_pool::reconnect_later() {
  if (std::exchange(reconnect_pending_, true))
    return;
  reconnect_timer_.expires_after(reconnect_.next());
  reconnect_timer_.async_wait([this](boost::system::error_code error) {
    if (error)
      return;
    reconnect_pending_ = false;
    dispatch();
  });
}

void delivery_pool::look_again(clock::time_point at) {
  if (stopped_ || (again_at_ && *again_at_ <= at))
    return;
  again_at_ = at;
  again_timer_.expires_at(at);
  again_timer_.async_wait([this](boost::system::error_code error) {
    if (error)
      return;
    again_at_.reset();
    dispatch();
  });
}

bool delivery_pool::is_usable() const {
  // A closed gate lets no connection warm up; and it is connections that ask it to open.
  const bool held = options_.gate && options_.gate->is_closed();
  return !obstructed_ && std::any_of(members_.begin(), members_.end(), [&](const auto& one) {
    const auto& connection = *one.connection;
    return connection.stream_limit() > 0 &&
           (held ? one.connected && !is_draining(connection) : connection.is_ready());
  });
}

void delivery_pool::wait_for_connection() {
  if (waiting_ || is_usable())
    return;
  waiting_ = true;
  unusable_since_ = clock::now();
  look_at_waiting();
}

void delivery_pool::look_at_waiting() {
  const auto timeout = options_.connection.request_timeout;
  waiting_timer_.expires_after(timeout / 4);
  waiting_timer_.async_wait([this, timeout](boost::system::error_code error) {
    if (error)
      return;
    waiting_ = queue_.waiting() > 0 && !is_usable();
    if (!waiting_)
      return;
    const auto now = clock::now();
    if (now - unusable_since_ >= timeout) {
      retire_streamless();
      give_up(now - timeout, last_error_);
    }
    dispatch();
    look_at_waiting();
  });
}

// Another connection may lead to a server that takes requests.
void delivery_pool::retire_streamless() {
  std::vector<std::shared_ptr<client_connection>> useless;
  for (const auto& one : members_)
    if (one.connected && one.connection->stream_limit() == 0)
      useless.push_back(one.connection);
  if (!useless.empty())
    last_error_ = no_streams;
  for (const auto& connection : useless)
    connection->retire(no_streams);
}

void delivery_pool::give_up(clock::time_point before, std::string_view why) {
  const auto waiting = queue_.waiting();
  queue_.give_up(before, why);
  stats_.unsent.add(static_cast<std::int64_t>(waiting - queue_.waiting()));
  note_waiting();
  tell_answers();
}

void delivery_pool::withdraw(const signalbox::work& of, std::string_view why) {
  const auto waiting = queue_.waiting();
  queue_.withdraw(of, why);
  if (queue_.waiting() == waiting)
    return;
  stats_.unsent.add(static_cast<std::int64_t>(waiting - queue_.waiting()));
  note_waiting();
  tell_answers();
}

void delivery_pool::note_waiting() {
  const auto now = static_cast<std::int64_t>(queue_.waiting());
  stats_.waiting.add(now - std::exchange(noted_waiting_, now));
}

void delivery_pool::tell_answers() {
  if (!std::exchange(told_answers_, true))
    on_answers_(*this);
}

void delivery_pool::take_answers(std::vector<answer_batch>& out) {
  told_answers_ = false;
  queue_.take_answers(out);
}

void delivery_pool::stop(std::string_view why) {
  stopped_ = true;
  last_error_ = why;
  reconnect_timer_.cancel();
  reconnect_pending_ = false;
  again_timer_.cancel();
  again_at_.reset();
  give_up(clock::time_point::max(), why);
  retire_connections();
}

void delivery_pool::configure(pool_options options, writer_factory new_writer) {
  options_ = std::move(options);
  new_writer_ = std::move(new_writer);
  stopped_ = false;
  retire_connections();
  dispatch();
}

void delivery_pool::retire_connections() {
  // Retiring one may remove it.
  const auto members = [&] {
    std::vector<std::shared_ptr<client_connection>> all;
    for (const auto& one : members_)
      all.push_back(one.connection);
    return all;
  }();
  for (const auto& connection : members)
    connection->retire();
}

} // namespace signalbox
