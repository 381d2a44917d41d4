// How fast the APNs transport sends, and what a request costs in CPU, beside h2load with the same
// headers and body, against the same simulator process in the same run.
//
//   apns_client_bench [-n REQUESTS] [-r ROUNDS] [-c CONNECTIONS] [-m STREAMS] [--single]
//                     [--no-h2load]
//
// The client is pinned to CPU 0 and the simulator to CPU 1. Trust the ratio, not the rate: shared
// machines are noisy, which is why the two take turns.

#include "adapters/apns/provider_token_keeper.hpp"
#include "adapters/apns/transport.hpp"
#include "adapters/simulator/tls_material.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <mutex>
#include <sched.h>
#include <semaphore>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace signalbox;

namespace {

constexpr std::uint32_t window = 1'424;
constexpr std::uint32_t targets_a_work = 1'000;
constexpr std::uint32_t works_in_turn = 50;
constexpr std::uint32_t single_works_in_turn = 20'000;
constexpr int client_cpu = 0;
constexpr int simulator_cpu = 1;

struct settings {
  std::uint64_t requests = 1'000'000;
  int rounds = 3;
  std::size_t connections = 4;
  std::size_t streams = 100;
  bool single = false; // jobs of one target each
  bool with_h2load = true;
};

struct measurement {
  double seconds = 0;
  double cpu_us = 0;        // a request
  double server_cpu_us = 0; // the simulator's
  double rate(std::uint64_t requests) const { return static_cast<double>(requests) / seconds; }
};

double cpu_seconds(const rusage& used) {
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

/// A child process pinned to a CPU, with its output readable.
class child {
public:
  child(std::vector<std::string> arguments, int cpu) {
    int ends[2];
    if (pipe(ends) != 0)
      throw std::runtime_error{"pipe failed"};
    pid_ = fork();
    if (pid_ == 0) {
      pin(cpu);
      prctl(PR_SET_PDEATHSIG, SIGTERM);
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      close(ends[1]);
      std::vector<char*> raw;
      for (auto& argument : arguments)
        raw.push_back(argument.data());
      raw.push_back(nullptr);
      execvp(raw[0], raw.data());
      std::perror(raw[0]);
      _exit(127);
    }
    close(ends[1]);
    output_ = fdopen(ends[0], "r");
  }
  ~child() {
    if (pid_ > 0) {
      kill(pid_, SIGTERM);
      wait();
    }
    std::fclose(output_);
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  /// What it has used so far, in seconds.
  double cpu_seconds() const {
    std::ifstream stat{"/proc/" + std::to_string(pid_) + "/stat"};
    std::string text{std::istreambuf_iterator<char>{stat}, {}};
    std::istringstream fields{text.substr(text.rfind(')') + 2)};
    std::string skipped;
    for (int field = 3; field < 14; ++field)
      fields >> skipped;
    double user = 0;
    double kernel = 0;
    fields >> user >> kernel;
    return (user + kernel) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }

  std::string line() {
    char text[4096];
    return std::fgets(text, sizeof text, output_) ? text : "";
  }
  rusage wait() {
    rusage used{};
    int status = 0;
    wait4(pid_, &status, 0, &used);
    pid_ = -1;
    return used;
  }

private:
  pid_t pid_ = -1;
  FILE* output_ = nullptr;
};

work_ptr make_work(const std::shared_ptr<const job_context>& job, std::uint32_t seq,
                   std::uint32_t count = targets_a_work) {
  auto made = std::make_shared<work>();
  made->key = {job->id, seq};
  made->job = job;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto number = seq * targets_a_work + i;
    char token[65];
    std::snprintf(token, sizeof token, "%016llx%048x", number * 0x9e3779b97f4a7c15ULL, number);
    made->targets.push_back({number, i, static_cast<std::uint32_t>(made->text.size()), 64, 0});
    made->text.append(token, 64);
  }
  return made;
}

/// Keeps the window of the transport full, as a sender does.
class feeder {
public:
  feeder(apns_transport& transport, std::vector<work_ptr> works, std::uint64_t requests)
    : transport_{transport}, works_{std::move(works)}, requests_{requests} {}

  void on_answers(const std::vector<answer_batch>& batches) {
    std::lock_guard lock{mutex_};
    for (const auto& batch : batches) {
      in_flight_ -= static_cast<std::uint32_t>(batch.accepted.size() + batch.others.size());
      answered_ += batch.accepted.size() + batch.others.size();
      failures_ += batch.others.size();
    }
    if (answered_ == requests_)
      done_.release();
    else
      fill_window();
  }

  void start() {
    std::lock_guard lock{mutex_};
    fill_window();
  }

  void wait() { done_.acquire(); }
  std::uint64_t failures() const { return failures_; }

private:
  void fill_window() {
    while (submitted_ < requests_ && in_flight_ < window) {
      const auto size = works_[at_]->targets.size();
      const auto count = static_cast<std::uint32_t>(
        std::min<std::uint64_t>({window - in_flight_, size - position_, requests_ - submitted_}));
      transport_.submit(works_[at_], position_, count);
      in_flight_ += count;
      submitted_ += count;
      position_ += count;
      if (position_ == size) {
        position_ = 0;
        at_ = (at_ + 1) % works_.size();
      }
    }
  }

  apns_transport& transport_;
  const std::vector<work_ptr> works_;
  const std::uint64_t requests_;
  std::mutex mutex_;
  std::size_t at_ = 0;
  std::uint32_t position_ = 0;
  std::uint32_t in_flight_ = 0;
  std::uint64_t submitted_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t failures_ = 0;
  std::binary_semaphore done_{0};
};

struct scenario {
  std::string port;
  std::string ca;
  std::shared_ptr<provider_token> token;
  std::shared_ptr<const job_context> job;
};

std::vector<work_ptr> big_works(const std::shared_ptr<const job_context>& job) {
  std::vector<work_ptr> works;
  for (std::uint32_t seq = 0; seq < works_in_turn; ++seq)
    works.push_back(make_work(job, seq));
  return works;
}

std::vector<work_ptr> single_works(const std::shared_ptr<const job_context>& like) {
  std::vector<work_ptr> works;
  for (std::uint32_t seq = 0; seq < single_works_in_turn; ++seq) {
    auto job = std::make_shared<job_context>(*like);
    job->id = make_uuid_v7(job->created_at);
    works.push_back(make_work(job, seq, 1));
  }
  return works;
}

measurement run_transport(const settings& with, const scenario& in) {
  apns_transport_options options;
  options.production = {"127.0.0.1", in.port};
  options.ca_file = in.ca;
  options.connections = with.connections;
  options.max_streams = with.streams;
  const auto works = with.single ? single_works(in.job) : big_works(in.job);
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t failures = 0;
  {
    apns_transport transport{options};
    transport.set_app(default_app, {"com.example.app", in.token, nullptr});
    feeder feed{transport, works, with.requests};
    transport.on_answers(
      [&](const std::vector<answer_batch>& batches) { feed.on_answers(batches); });
    feed.start();
    feed.wait();
    failures = feed.failures();
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  if (failures > 0)
    throw std::runtime_error{std::to_string(failures) + " requests were not accepted"};
  return {elapsed.count(),
          (cpu_seconds(after) - cpu_seconds(before)) / static_cast<double>(with.requests) * 1e6, 0};
}

measurement run_h2load(const settings& with, const scenario& in, const std::string& dir) {
  const auto base = "https://127.0.0.1:" + in.port;
  {
    std::ofstream uris{dir + "/uris"};
    for (std::uint32_t seq = 0; seq < 2; ++seq) {
      const auto of = make_work(in.job, seq);
      for (const auto& target : of->targets)
        uris << base << "/3/device/" << of->token(target) << '\n';
    }
    std::ofstream{dir + "/body"} << R"({"aps":{"alert":{"title":"Hello","body":"A message"}}})";
  }
  std::vector<std::string> arguments{"h2load",
                                     "-n" + std::to_string(with.requests),
                                     "-c" + std::to_string(with.connections),
                                     "-m" + std::to_string(with.streams),
                                     "-t1",
                                     "-i" + dir + "/uris",
                                     "-d" + dir + "/body"};
  const auto id = in.job->id.to_string();
  for (const auto& header :
       {"authorization: " + *in.token->current(), std::string{"apns-topic: com.example.app"},
        std::string{"apns-push-type: alert"}, std::string{"apns-priority: 10"},
        std::string{"apns-id: 0192aaaa-bbbb-8ccc-8ddd-eeeeeeeeeeee"},
        std::string{"apns-expiration: 2000000000"}, "apns-collapse-id: " + id}) {
    arguments.push_back("-H");
    arguments.push_back(header);
  }
  const auto start = std::chrono::steady_clock::now();
  child h2load{arguments, client_cpu};
  std::string line;
  bool all_accepted = false;
  while (!(line = h2load.line()).empty())
    if (line.starts_with("status codes:"))
      all_accepted = line.find(" " + std::to_string(with.requests) + " 2xx") != std::string::npos;
  const auto used = h2load.wait();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (!all_accepted)
    throw std::runtime_error{"h2load did not get all requests accepted"};
  return {elapsed.count(), cpu_seconds(used) / static_cast<double>(with.requests) * 1e6, 0};
}

measurement median(std::vector<measurement> all) {
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.cpu_us < b.cpu_us; });
  return all[all.size() / 2];
}

void print(const char* name, const measurement& m, std::uint64_t requests) {
  std::printf("%-10s %9.0f requests/s  %5.2f us CPU a request (simulator %5.2f)\n", name,
              m.rate(requests), m.cpu_us, m.server_cpu_us);
  std::fflush(stdout);
}

int run(const settings& with) {
  auto pattern = (std::filesystem::temp_directory_path() / "apns-bench-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error{"no temporary directory"};
  const auto material = sim::ensure_tls_material(pattern);
  const auto program =
    (std::filesystem::canonical("/proc/self/exe").parent_path() / "signalbox-sim").string();
  child simulator{{program, "--tls-dir", pattern}, simulator_cpu};
  const auto info = boost::json::parse(simulator.line()).as_object();
  const std::string url{info.at("apns").as_string()};

  pin(client_cpu);
  provider_token_keeper keeper;
  scenario in;
  in.port = url.substr(url.rfind(':') + 1);
  in.ca = material.ca.string();
  in.token = keeper.token_for(
    {std::string{sim::apns_team_id}, std::string{sim::apns_key_id}, material.apns_key},
    environment::production);
  auto job = std::make_shared<job_context>();
  job->created_at = timestamp{std::chrono::seconds{1'900'000'000}};
  job->id = make_uuid_v7(job->created_at);
  job->payload = R"({"title":"Hello","body":"A message"})";
  job->options.expires_at = timestamp{std::chrono::seconds{2'000'000'000}};
  in.job = std::move(job);

  std::vector<measurement> ours;
  std::vector<measurement> theirs;
  for (int round = 0; round < with.rounds; ++round) {
    const auto start = simulator.cpu_seconds();
    ours.push_back(run_transport(with, in));
    const auto middle = simulator.cpu_seconds();
    ours.back().server_cpu_us = (middle - start) / static_cast<double>(with.requests) * 1e6;
    print("transport", ours.back(), with.requests);
    if (with.with_h2load) {
      theirs.push_back(run_h2load(with, in, pattern));
      theirs.back().server_cpu_us =
        (simulator.cpu_seconds() - middle) / static_cast<double>(with.requests) * 1e6;
      print("h2load", theirs.back(), with.requests);
    }
  }
  std::filesystem::remove_all(pattern);
  if (with.with_h2load) {
    const auto a = median(ours);
    const auto b = median(theirs);
    std::printf("median: %.2f of h2load's rate, %.2f of its CPU a request\n", b.seconds / a.seconds,
                a.cpu_us / b.cpu_us);
  }
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  settings with;
  CLI::App app{"Sends through the APNs transport to a simulator, beside h2load."};
  app.add_option("-n", with.requests, "requests a round")->capture_default_str();
  app.add_option("-r", with.rounds, "rounds")->capture_default_str();
  app.add_option("-c", with.connections, "connections")->capture_default_str();
  app.add_option("-m", with.streams, "streams a connection")->capture_default_str();
  app.add_flag("--single", with.single, "jobs of one target each");
  app.add_flag("!--no-h2load", with.with_h2load, "the transport alone");
  CLI11_PARSE(app, argc, argv);
  try {
    return run(with);
  } catch (const std::exception& error) {
    std::cerr << "apns_client_bench: " << error.what() << '\n';
    return 1;
  }
}
