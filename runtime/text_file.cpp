#include "runtime/text_file.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace signalbox {

std::optional<std::string> read_text_file(const std::filesystem::path& path, std::string& why) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "rb"),
                                                       &std::fclose};
  std::string result;
  char buffer[4096];
  while (file != nullptr)
    if (auto size = std::fread(buffer, 1, sizeof(buffer), file.get()); size > 0)
      result.append(buffer, size);
    else if (std::ferror(file.get()) == 0)
      return result;
    else
      break;
  why = std::generic_category().message(errno);
  return std::nullopt;
}

} // namespace signalbox
