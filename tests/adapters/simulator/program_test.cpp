#include "adapters/simulator/program.hpp"
#include "tests/adapters/simulator/admin_client.hpp"
#include "tests/adapters/simulator/simulator_fixture.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <chrono>
#include <fstream>
#include <signal.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace signalbox::sim {
namespace {

std::uint16_t port_of(const boost::json::value& url) {
  const std::string text{url.as_string()};
  return static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
}

int wait_for_exit(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(program_test, says_where_it_is_and_ends_on_a_signal) {
  const test::temporary_directory directory;
  const auto info_file = directory.path() / "info.json";
  for (const int signal : {SIGTERM, SIGINT}) {
    std::filesystem::remove(info_file);
    const auto child = fork();
    ASSERT_GE(child, 0);
    if (child == 0)
      _exit(run_program({{.tls_dir = directory.path() / "tls"}, info_file}));
    for (int i = 0; i < 6'000 && !std::filesystem::exists(info_file); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    std::string text;
    std::getline(std::ifstream{info_file}, text);
    const auto info = boost::json::parse(text);
    EXPECT_EQ(info.at("pid"), test::json(child));
    EXPECT_EQ(info.at("tls_dir"), test::json((directory.path() / "tls").string()));
    EXPECT_TRUE(info.at("apns").as_string().starts_with("https://127.0.0.1:"));
    EXPECT_TRUE(info.at("fcm").as_string().starts_with("https://127.0.0.1:"));
    EXPECT_EQ(test::admin_client{port_of(info.at("admin"))}.get("/livez").status, 200);
    kill(child, signal);
    EXPECT_EQ(wait_for_exit(child), 0);
  }
}

TEST(program_test, a_failure_to_start_is_exit_code_1) {
  const test::temporary_directory directory;
  std::ofstream{directory.path() / "file"} << "x";
  const auto child = fork();
  ASSERT_GE(child, 0);
  if (child == 0)
    _exit(run_program({{.tls_dir = directory.path() / "file"}, {}}));
  EXPECT_EQ(wait_for_exit(child), 1);
}

} // namespace
} // namespace signalbox::sim
