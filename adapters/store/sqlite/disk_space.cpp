#include "adapters/store/sqlite/disk_space.hpp"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <sys/statvfs.h>

namespace signalbox::sqlite {

disk_space::disk_space(const std::string& path, std::int64_t min_free_bytes)
  : directory_{std::filesystem::absolute(path).parent_path()}, min_free_bytes_{min_free_bytes} {}

bool disk_space::has_room() {
  using clock = std::chrono::steady_clock;
  constexpr clock::duration interval = std::chrono::milliseconds{100};
  const auto now = clock::now().time_since_epoch().count();
  const auto last = asked_at_.load();
  if (last != 0 && now - last < interval.count())
    return has_room_;
  struct statvfs info {};
  if (::statvfs(directory_.c_str(), &info) == 0) {
    free_bytes_ = static_cast<std::int64_t>(info.f_bavail * info.f_frsize);
    has_room_ = free_bytes_ >= min_free_bytes_;
  }
  asked_at_ = now;
  if (!has_room_ && log_.is_due())
    spdlog::warn("event=disk_short free={} min_free_space={} directory={:?} "
                 "text=\"jobs and registrations are refused\"",
                 free_bytes_.load(), min_free_bytes_, directory_);
  return has_room_;
}

disk_state disk_space::state() {
  const bool room = has_room();
  return {room, free_bytes_, min_free_bytes_};
}

} // namespace signalbox::sqlite
