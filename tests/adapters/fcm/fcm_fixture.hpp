#pragma once

#include "adapters/fcm/access_token_keeper.hpp"
#include "adapters/simulator/simulator.hpp"
#include "adapters/simulator/tls_material.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace signalbox {

/// A directory with a simulator's keys, made once for the whole test program.
class simulator_directory {
public:
  simulator_directory() {
    auto name = (std::filesystem::temp_directory_path() / "signalbox-fcm-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      throw std::runtime_error{"mkdtemp"};
    path_ = name;
  }
  ~simulator_directory() { std::filesystem::remove_all(path_); }
  simulator_directory(const simulator_directory&) = delete;
  simulator_directory& operator=(const simulator_directory&) = delete;

  static const std::filesystem::path& path() {
    static const simulator_directory shared;
    return shared.path_;
  }

private:
  std::filesystem::path path_;
};

/// A simulator, and a keeper that fetches tokens from it. Timeouts are longer than any machine
/// stands still; a test in which one has to pass makes it short.
class fcm_fixture : public testing::Test {
protected:
  /// For a timeout that has to pass in a test, and that others must not meet though the machine
  /// stands still for seconds.
  static constexpr std::chrono::milliseconds patience{6'000};

  fcm_fixture() : simulator_{{.tls_dir = simulator_directory::path()}} { simulator_.start(); }

  access_token_options token_options() {
    access_token_options options;
    options.ca_file = simulator_.tls().ca.string();
    options.timeout = std::chrono::seconds{60};
    options.retry = {std::chrono::milliseconds{5}, std::chrono::milliseconds{50}};
    return options;
  }

  void faults(const std::string& fcm) {
    const auto error =
      simulator_.set_faults(boost::json::parse(R"({"fcm":)" + fcm + "}").as_object());
    ASSERT_FALSE(error) << error->member << ": " << error->detail;
  }

  template <class Condition>
  static bool eventually(Condition holds) {
    for (int i = 0; i < 6'000 && !holds(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    return holds();
  }

  static bool has_token(const access_token& of) {
    return of.current(access_token::clock::now()) != nullptr;
  }

  sim::simulator simulator_;
};

} // namespace signalbox
