#pragma once

#include "messages/result.hpp"

#include <functional>

namespace signalbox {

/// Called exactly once, on a thread of the adapter: it hands over to an actor or an executor and
/// returns at once.
template <class T>
using callback = std::function<void(result<T>)>;

} // namespace signalbox
