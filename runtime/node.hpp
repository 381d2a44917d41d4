#pragma once

#include "runtime/node_settings.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace signalbox {

/// How a node's start or stop ended. The numbers are the program's exit codes; docs/operations.md
/// says what to do about each.
enum class node_status : int {
  ok = 0,
  failed = 1,      ///< a port, file or key that cannot be used; the message says which
  usage = 2,       ///< command line or settings
  locked = 3,      ///< another node holds the database's lock
  not_drained = 4, ///< the stop's deadline passed; what was under way is in the store
  gave_up = 5,     ///< something kept crashing in spite of restarts
};

/// The one place where ports meet adapters: store, transports, actors and HTTP server of one node.
class node {
public:
  /// `on_failure` is called, from any thread, when the node cannot go on; stop it then.
  node(node_settings settings, std::function<void(const std::string& what)> on_failure);
  ~node();

  struct start_result {
    node_status status = node_status::ok;
    std::string message;
  };

  /// Opens the store, starts the actors, then listens.
  start_result start();

  /// "http://127.0.0.1:8080"
  std::string http_url() const;

  /// The ordered stop: readiness turns and new work is refused, then the stages drain, upstream
  /// first, then the store closes, all under `stop.deadline`. Not to be called from a thread of the
  /// node.
  node_status stop();

  /// Reads the provider keys again, then closes the breakers that refused ones opened (SIGHUP).
  void reload_credentials();

private:
  struct parts;

  node_settings settings_;
  std::function<void(const std::string& what)> on_failure_;
  std::unique_ptr<parts> parts_;
};

} // namespace signalbox
