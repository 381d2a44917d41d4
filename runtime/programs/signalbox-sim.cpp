#include "adapters/simulator/program.hpp"
#include "adapters/simulator/tls_material.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <random>

int main(int argc, char** argv) {
  constexpr int usage_error = 2;
  signalbox::sim::program_options options;
  auto& simulator = options.simulator;
  simulator.seed = std::random_device{}();

  CLI::App app{"Simulates APNs and FCM over TLS and HTTP/2 (FCM over HTTP/1.1, too) on 127.0.0.1,\n"
               "with faults and counters.\n"
               "Admin (HTTP/1.1): GET /stats, GET /stats/devices?token=, POST /faults,\n"
               "POST /reset, GET /livez. Ports of 0 are picked free.\n"
               "Exit codes: 0 stopped by a signal, 1 failed while running, 2 wrong usage."};
  app.set_version_flag("--version", SIGNALBOX_VERSION);
  app.add_option("--apns-port", simulator.apns_port, "port of APNs")->capture_default_str();
  app.add_option("--fcm-port", simulator.fcm_port, "port of FCM and its token endpoint")
    ->capture_default_str();
  app.add_option("--admin-port", simulator.admin_port, "port of the admin interface")
    ->capture_default_str();
  app.add_option("--tls-dir", simulator.tls_dir,
                 "directory of the certificates, keys and service-account.json, made where missing "
                 " (default: a temporary one, removed at the end)");
  app
    .add_option("--names", simulator.names,
                "host names for the certificate beside localhost, separated by commas, for clients "
                "that a hosts file points here")
    ->delimiter(',')
    ->check(CLI::Validator{[](const std::string& name) {
                             return signalbox::sim::is_host_name(name) ? ""
                                                                       : name + " is no host name";
                           },
                           "NAME"});
  app.add_option("--bundle", simulator.bundle, "bundle id whose topics are accepted")
    ->capture_default_str();
  app
    .add_option("--order-key", simulator.order_key,
                "numeric content-state member that orders Live Activity updates")
    ->capture_default_str();
  app
    .add_option("--job-marker", simulator.job_marker,
                "member of FCM's data that names the job, to tell duplicates by")
    ->capture_default_str();
  app.add_option("--seed", simulator.seed, "seed of the faults (default: a random one)");
  app.add_flag("--record-devices", simulator.record_devices,
               "keep all devices for GET /stats/devices, however many, which costs speed and "
               "memory (also: POST /faults {\"record_devices\": true})");
  app.add_option("--info-file", options.info_file,
                 "write the URLs, the process id and the TLS directory to this file, as JSON, "
                 "once ready");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : usage_error;
  }
  return signalbox::sim::run_program(options);
}
