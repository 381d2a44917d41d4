#pragma once

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <string_view>

namespace signalbox::sim {

class simulator;

struct admin_reply {
  /// An HTTP status; from 400 on `body` is a problem (RFC 9457).
  int status = 200;
  boost::json::object body;
};

/// A problem document; `member` becomes a JSON pointer in `errors`, if it is not empty.
boost::json::object problem(int status, std::string_view detail, std::string_view member = {});

/// The admin interface:
///
/// | Route | Does |
/// |---|---|
/// | `GET /livez` | `{"status":"ok"}` |
/// | `GET /stats` | the counters |
/// | `GET /stats/devices?token=` | a device's requests and the last accepted of them |
/// | `POST /faults` | sets faults |
/// | `POST /reset` | clears counters and faults |
admin_reply answer_admin(simulator& target, std::string_view method, std::string_view path,
                         std::string_view body);

} // namespace signalbox::sim
