#include "adapters/http/api.hpp"
#include "adapters/http/json_writer.hpp"
#include "adapters/http/openapi_document.hpp"
#include "adapters/http/route_support.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

namespace signalbox::http {

namespace {

constexpr std::chrono::seconds store_limit{2};

std::string write_check(const readiness_check& check) {
  json_writer out;
  out.add("name", check.name).add("ok", check.ok);
  if (!check.detail.empty())
    out.add("detail", check.detail);
  return out.take();
}

response readiness(std::vector<readiness_check> checks, readiness_check store) {
  checks.push_back(std::move(store));
  bool ready = std::all_of(checks.begin(), checks.end(), [](const auto& c) { return c.ok; });
  std::string list = "[";
  for (const auto& check : checks) {
    if (&check != &checks.front())
      list += ',';
    list += write_check(check);
  }
  return {.status = ready ? 200u : 503u,
          .body = json_writer{}
                    .add("status", ready ? "ready" : "not_ready")
                    .add_json("checks", list + ']')
                    .take()};
}

void get_readyz(const api_ports& api, responder to) {
  auto checks = api.checks();
  readiness_check stop{"stop", !api.door.closed()};
  if (!stop.ok)
    stop.detail = "the node is stopping";
  checks.insert(checks.begin(), std::move(stop));
  to.limit(store_limit, readiness(checks, {"store", false, "no answer within 2 s"}));
  auto shared = std::make_shared<responder>(std::move(to));
  api.jobs.check_health([shared, checks = std::move(checks)](const result<unit>& health) {
    shared->answer(readiness(checks, {"store", health.ok(), health.message}));
  });
}

} // namespace

void add_health_routes(router& routes, api_ports_ptr api) {
  auto add = [&](const char* path, std::string_view type, auto make) {
    routes.add(
      {.method = verb::get, .pattern = path, .handle = [type, make](request&, responder to) {
         to.answer({.content_type = type, .body = std::string{make()}});
       }});
  };
  add("/v1/ping", "text/plain", [] { return "pong"; });
  add("/livez", "text/plain", [] { return "ok"; });
  add("/startupz", "text/plain", [] { return "ok"; }); // a node listens when it has started
  add("/metrics", "text/plain; version=0.0.4; charset=utf-8", [api] { return api->metrics(); });
  add("/openapi.yaml", "application/yaml", [] { return openapi_document(); });
  routes.add({.method = verb::get, .pattern = "/readyz", .handle = [api](request&, responder to) {
                get_readyz(*api, std::move(to));
              }});
}

} // namespace signalbox::http
