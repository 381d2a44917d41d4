#pragma once

#include <filesystem>
#include <stdlib.h>
#include <string>

namespace signalbox {

/// A folder of its own for a test, removed with all that is in it.
class temporary_folder {
public:
  temporary_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "signalbox-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~temporary_folder() { std::filesystem::remove_all(path_); }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  std::string file(const std::string& name) const { return path_ / name; }

private:
  std::filesystem::path path_;
};

} // namespace signalbox
