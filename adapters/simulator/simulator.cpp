#include "adapters/simulator/simulator.hpp"

#include "adapters/io/event_loop.hpp"
#include "adapters/simulator/admin_server.hpp"
#include "adapters/simulator/apns_service.hpp"
#include "adapters/simulator/fcm_service.hpp"
#include "adapters/simulator/provider_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <future>
#include <stdexcept>
#include <stdlib.h>
#include <thread>
#include <utility>

namespace signalbox::sim {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

// Removed with its content at the end, if it was made here.
class tls_directory {
public:
  explicit tls_directory(const fs::path& given) : path_{given}, own_{given.empty()} {
    if (!own_)
      return;
    auto name = (fs::temp_directory_path() / "signalbox-sim-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      throw std::runtime_error{"cannot make a temporary directory " + name};
    path_ = name;
  }
  ~tls_directory() {
    std::error_code ignored;
    if (own_)
      fs::remove_all(path_, ignored);
  }
  tls_directory(const tls_directory&) = delete;
  tls_directory& operator=(const tls_directory&) = delete;

  const fs::path& path() const noexcept { return path_; }

private:
  fs::path path_;
  bool own_;
};

std::optional<fault_error> below(std::string_view parent, std::optional<fault_error> error) {
  if (error)
    error->member = std::string{parent} + "/" + error->member;
  return error;
}

} // namespace

struct simulator::state {
  state(simulator& owner, const simulator_options& options)
    : directory{options.tls_dir}, tls{ensure_tls_material(directory.path(), options.names)},
      apns{options.seed, options.bundle, options.order_key, tls.apns_public_key},
      fcm{options.seed, options.job_marker, options.order_key, tls.fcm_public_key},
      apns_server{io.get_executor(), "apns", options.apns_port, tls, apns},
      fcm_server{io.get_executor(), "fcm", options.fcm_port, tls, fcm},
      admin{options.admin_port, owner}, apns_port{apns_server.port()}, fcm_port{fcm_server.port()} {
    apns.devices().enable(options.record_devices);
    fcm.devices().enable(options.record_devices);
    const auto token_uri = "https://localhost:" + std::to_string(fcm_port) + "/token";
    write_service_account(tls, token_uri);
    fcm.set_token_uri(token_uri);
  }

  // Runs `call` on the I/O thread, or here if there is none.
  template <class Call>
  auto on_io_thread(Call call) {
    if (!thread.joinable())
      return call();
    std::packaged_task<decltype(call())()> task{std::move(call)};
    auto result = task.get_future();
    asio::post(io, [&task] { task(); });
    return result.get();
  }

  std::optional<fault_error> set_faults(const json::object& faults);

  tls_directory directory;
  tls_material tls;
  apns_service apns;
  fcm_service fcm;
  asio::io_context io{1};
  provider_server apns_server;
  provider_server fcm_server;
  admin_server admin;
  std::uint16_t apns_port;
  std::uint16_t fcm_port;
  std::thread thread;
};

simulator::simulator(simulator_options options) : state_{std::make_unique<state>(*this, options)} {}

simulator::~simulator() {
  stop();
}

void simulator::start() {
  asio::post(state_->io, [state = state_.get()] {
    state->apns_server.start();
    state->fcm_server.start();
  });
  state_->thread = std::thread{[state = state_.get()] { run_loop(state->io, "sim-providers"); }};
  state_->admin.start();
}

void simulator::stop() {
  if (!state_->thread.joinable())
    return;
  // First, since its requests wait for the I/O thread.
  state_->admin.stop();
  asio::post(state_->io, [state = state_.get()] {
    state->apns_server.stop();
    state->fcm_server.stop();
  });
  state_->thread.join();
}

std::uint16_t simulator::apns_port() const noexcept {
  return state_->apns_port;
}
std::uint16_t simulator::fcm_port() const noexcept {
  return state_->fcm_port;
}
std::uint16_t simulator::admin_port() const noexcept {
  return state_->admin.port();
}
const tls_material& simulator::tls() const noexcept {
  return state_->tls;
}

traffic_totals simulator::apns_totals() {
  return state_->on_io_thread([this] { return state_->apns.stats().totals(); });
}

traffic_totals simulator::fcm_totals() {
  return state_->on_io_thread([this] { return state_->fcm.stats().totals(); });
}

json::object simulator::stats() {
  const auto [apns, fcm] = state_->on_io_thread([this] {
    return std::pair{state_->apns.stats().totals(), state_->fcm.stats().totals()};
  });
  auto sum = apns;
  sum += fcm;
  auto result = to_json(sum);
  auto of_apns = to_json(apns);
  of_apns.emplace("channel_requests", apns.channel_requests);
  result.emplace("apns", std::move(of_apns));
  auto of_fcm = to_json(fcm);
  of_fcm.emplace("token_requests", fcm.token_requests);
  result.emplace("fcm", std::move(of_fcm));
  return result;
}

std::optional<fault_error> simulator::set_faults(const json::object& faults) {
  return state_->on_io_thread([&] { return state_->set_faults(faults); });
}

std::optional<fault_error> simulator::state::set_faults(const json::object& faults) {
  for (const auto& member : faults) {
    const std::string_view name{member.key().data(), member.key().size()};
    const auto& value = member.value();
    if (name == "record_devices") {
      if (!value.is_bool())
        return fault_error{"record_devices", "must be true or false"};
    } else if (name != "apns" && name != "fcm")
      return fault_error{std::string{name}, "is not apns, fcm or record_devices"};
    else if (!value.is_object())
      return fault_error{std::string{name}, "must be an object of faults"};
  }
  // A plan of its own tries the second provider's members before the first one's are applied.
  const auto* fcm_faults = faults.if_contains("fcm");
  if (fcm_faults != nullptr) {
    auto trial = fcm.faults();
    if (auto error = below("fcm", trial.apply(fcm_faults->get_object())))
      return error;
  }
  if (const auto* apns_faults = faults.if_contains("apns"))
    if (auto error = below("apns", apns_server.set_faults(apns_faults->get_object())))
      return error;
  if (fcm_faults != nullptr)
    fcm_server.set_faults(fcm_faults->get_object());
  if (const auto* record = faults.if_contains("record_devices")) {
    apns.devices().enable(record->get_bool());
    fcm.devices().enable(record->get_bool());
  }
  return {};
}

void simulator::reset() {
  state_->on_io_thread([this] {
    state_->apns_server.reset();
    state_->fcm_server.reset();
  });
}

std::optional<json::object> simulator::device(std::string_view token) {
  return state_->on_io_thread([this, token] {
    auto found = state_->apns.devices().find(token);
    return found ? found : state_->fcm.devices().find(token);
  });
}

} // namespace signalbox::sim
