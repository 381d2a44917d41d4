#pragma once

#include <filesystem>
#include <string>

namespace signalbox {

/// `node.json` in a node's state directory: `{"pid", "http", "version"}`, there while the node
/// runs, so that others find it also when its port was picked free.
class node_info {
public:
  node_info(const std::filesystem::path& directory, const std::string& http_url);
  ~node_info();

  node_info(const node_info&) = delete;
  node_info& operator=(const node_info&) = delete;

private:
  std::filesystem::path file_;
};

} // namespace signalbox
