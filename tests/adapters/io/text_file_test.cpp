#include "adapters/io/text_file.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace signalbox {
namespace {

TEST(text_file, is_read_whole_or_not_at_all) {
  auto pattern = (std::filesystem::temp_directory_path() / "text-file-XXXXXX").string();
  std::filesystem::path directory = mkdtemp(pattern.data());
  std::string text(10000, 'x');
  text += '\0';
  std::ofstream{directory / "long"} << text;
  std::ofstream{directory / "empty"};
  std::string why;
  EXPECT_EQ(read_text_file(directory / "long", why), text);
  EXPECT_EQ(read_text_file(directory / "empty", why), "");
  EXPECT_EQ(why, "");
  EXPECT_FALSE(read_text_file(directory / "missing", why));
  EXPECT_EQ(why, "No such file or directory");
  EXPECT_FALSE(read_text_file(directory, why));
  EXPECT_EQ(why, "Is a directory");
  std::ofstream{directory / "marked"} << "\xEF\xBB\xBFtext";
  EXPECT_EQ(read_text_file(directory / "marked", why), "text");
  std::ofstream{directory / "huge"};
  std::filesystem::resize_file(directory / "huge", longest_text_file + 1);
  EXPECT_FALSE(read_text_file(directory / "huge", why));
  EXPECT_EQ(why, "File too large");
  std::filesystem::remove_all(directory);
}

} // namespace
} // namespace signalbox
