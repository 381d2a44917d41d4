#pragma once

#include "actors/broadcaster.hpp"

namespace signalbox::http {

/// Events as `text/event-stream` (HTML, section 9.2), their data as the API shows the same things.
event_texts make_event_texts();

} // namespace signalbox::http
