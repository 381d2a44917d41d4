#pragma once

#include "adapters/http/route.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

/// What the routing table says to a method and a path.
struct route_match {
  const route* found = nullptr;
  std::vector<path_parameter> parameters;
  std::vector<verb> allowed; ///< of the path, when `found` is null; empty: no such path
  bool malformed = false;    ///< the path's percent-encoding is broken
};

/// The routing table: fixed before the server starts, then read by all its threads. A literal
/// segment goes before a parameter; a path answers with or without its trailing slash; HEAD is
/// answered by GET's route.
class router {
public:
  router();
  ~router();
  router(router&&) noexcept;
  router& operator=(router&&) noexcept;

  /// Throws std::logic_error for a route that is there already.
  void add(route entry);
  route_match find(verb method, std::string_view path) const;
  /// All routes, in the order of `add`. They live as long as the router.
  std::vector<const route*> table() const;

private:
  struct node;

  std::unique_ptr<node> root_;
  std::vector<std::unique_ptr<route>> routes_;
};

} // namespace signalbox::http
