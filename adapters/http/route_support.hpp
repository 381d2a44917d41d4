#pragma once

#include "actors/ports/callback.hpp"
#include "actors/ports/page.hpp"
#include "adapters/http/cursor.hpp"
#include "adapters/http/problem.hpp"
#include "adapters/http/query_reader.hpp"
#include "adapters/http/request.hpp"
#include "adapters/http/responder.hpp"
#include "messages/ids.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the route files share: how a port's answer becomes the client's.

namespace signalbox::http {

/// The answer for a port's error (the statuses of messages/result.hpp).
response failed(errc code, const std::string& message);

/// A 204.
response no_content();

/// Checks a path parameter that is the id of a user or a topic.
void check_parameter(const request& from, std::string_view name, std::vector<field_error>& errors);

/// Refuses a body on a route whose path says all; an empty object is let pass.
void check_no_body(const request& from, std::vector<field_error>& errors);

/// Checks that `time`, if there is one, is at most `max` after `from`.
void check_horizon(std::string_view pointer, std::optional<timestamp> time, timestamp from,
                   std::chrono::milliseconds max, std::vector<field_error>& errors);

/// Why a body cannot be JSON by its Content-Type; nothing when it can. A missing type and curl's
/// default are taken for JSON. `others` are the types that the route takes as well, for the answer.
std::optional<response> check_json_type(const request& from,
                                        const std::vector<std::string_view>& others = {});

/// A port's callback that answers the request with what `make` makes of the value. Ports take
/// copyable callbacks, so the responder is shared.
template <class T, class Make>
callback<T> answer_with(responder to, Make make) {
  auto shared = std::make_shared<responder>(std::move(to));
  return [shared, make = std::move(make)](result<T> from) {
    shared->answer(from.ok() ? make(from.value) : failed(from.code, from.message));
  };
}

/// A port's callback that answers with a page of the list that `identity` (of its query_reader)
/// names, each item written by `write`.
template <class T, class Write>
callback<page_of<T>> answer_page(responder to, std::string identity, Write write) {
  return answer_with<page_of<T>>(
    std::move(to), [identity = std::move(identity), write](const page_of<T>& page) {
      response answer;
      auto& out = answer.body;
      out = "{\"items\":[";
      for (const auto& item : page.items) {
        if (&item != &page.items.front())
          out += ',';
        out += write(item);
      }
      out += "],\"next_cursor\":";
      if (page.next.empty())
        out += "null,\"has_more\":false}";
      else
        out += '"' + make_cursor(page.next, identity) + "\",\"has_more\":true}";
      return answer;
    });
}

} // namespace signalbox::http
