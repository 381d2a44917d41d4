#pragma once

#include <string>
#include <string_view>

namespace signalbox {

/// What stands for a text in `apns-collapse-id`: the text itself, or its SHA-256 in hexadecimal
/// digits when it cannot stand in the header, being over 64 bytes long or having anything but
/// visible ASCII. Pure.
std::string apns_collapse_id(std::string_view text);

} // namespace signalbox
