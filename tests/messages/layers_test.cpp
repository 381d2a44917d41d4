#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

// messages < actors < adapters < runtime: nothing points back (ARCHITECTURE, Who may include whom).

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> layers{"messages", "actors", "adapters", "runtime"};

std::vector<std::string> includes_of(const fs::path& file) {
  static const std::regex pattern{
    R"re(^\s*#\s*include\s*[<"](messages|actors|adapters|runtime)/)re"};
  std::vector<std::string> found;
  std::ifstream in{file};
  for (std::string line; std::getline(in, line);) {
    std::smatch match;
    if (std::regex_search(line, match, pattern))
      found.push_back(match[1]);
  }
  return found;
}

std::size_t rank_of(const std::string& layer) {
  return static_cast<std::size_t>(std::find(layers.begin(), layers.end(), layer) - layers.begin());
}

TEST(layers, nothing_includes_a_layer_above_its_own) {
  std::size_t files = 0;
  for (const auto& layer : layers) {
    for (const auto& entry : fs::recursive_directory_iterator{fs::path{SOURCE_DIR} / layer}) {
      const auto extension = entry.path().extension();
      if (extension != ".hpp" && extension != ".cpp")
        continue;
      ++files;
      for (const auto& included : includes_of(entry.path()))
        EXPECT_LE(rank_of(included), rank_of(layer))
          << entry.path() << " includes a header of " << included;
    }
  }
  EXPECT_GT(files, 50u) << "the sources were not found below " << SOURCE_DIR;
}

} // namespace
