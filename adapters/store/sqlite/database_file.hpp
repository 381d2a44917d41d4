#pragma once

#include "messages/result.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace signalbox::sqlite {

/// Says whose a database is: the bytes "SgBx" at offset 68, by PRAGMA application_id.
inline constexpr std::int32_t application_id = 0x53674278;

struct refused_file {
  errc code = errc::conflict;
  std::string message; ///< without the path
};

/// Whether the file is a database that this program may open: it is, too, while it does not exist
/// or is empty. Looks only: nothing is written, no file is made beside it, no lock is taken. A
/// database of ours from before there was an id is known by its tables.
std::optional<refused_file> check_database_file(const std::string& path);

/// Makes the database if it does not exist, and it and the files beside it the owner's alone
/// (0600); what others could read before is logged.
void make_private(const std::string& path);

} // namespace signalbox::sqlite
