#include "adapters/io/text_file.hpp"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace signalbox {

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  return text.starts_with(mark) ? text.substr(mark.size()) : text;
}

std::optional<std::string> read_text_file(const std::filesystem::path& path, std::string& why) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "rbe"),
                                                       &std::fclose};
  std::string result;
  char buffer[4096];
  while (file != nullptr && result.size() <= longest_text_file)
    if (auto size = std::fread(buffer, 1, sizeof(buffer), file.get()); size > 0)
      result.append(buffer, size);
    else if (std::ferror(file.get()) == 0)
      return std::string{without_byte_order_mark(result)};
    else
      break;
  why = std::generic_category().message(result.size() > longest_text_file ? EFBIG : errno);
  return std::nullopt;
}

} // namespace signalbox
