#include "runtime/node_info.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <unistd.h>

namespace signalbox {

node_info::node_info(const std::filesystem::path& directory, const std::string& http_url)
  : file_(directory / "node.json") {
  const boost::json::object info{
    {"pid", getpid()}, {"http", http_url}, {"version", SIGNALBOX_VERSION}};
  // Renamed into place, so that nobody reads half of it.
  const auto partial = directory / "node.json.partial";
  std::error_code error;
  errno = 0;
  std::ofstream out{partial, std::ios::trunc};
  out << boost::json::serialize(info) << '\n';
  out.close();
  if (!out)
    error = {errno == 0 ? EIO : errno, std::generic_category()};
  constexpr auto mode = static_cast<std::filesystem::perms>(0644); // whatever the umask
  if (!error)
    std::filesystem::permissions(partial, mode, error);
  if (!error)
    std::filesystem::rename(partial, file_, error);
  if (error)
    spdlog::warn("event=node_info_failed file={} error={:?}", file_.string(), error.message());
}

node_info::~node_info() {
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

} // namespace signalbox
