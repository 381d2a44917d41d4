#pragma once

#include "adapters/store/sqlite/planning.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace signalbox::sqlite {

/// Cuts what was read of a job into chunks of a step, a pool at a time.
class chunk_cutter {
public:
  chunk_cutter(plan_step& step, std::size_t chunk_size) : step_{step}, chunk_size_{chunk_size} {}

  void add(pool_code pool, token_id id) {
    auto& open = open_[pool];
    open.push_back(id);
    if (open.size() == chunk_size_)
      close(pool, open);
  }

  void close_all() {
    for (auto& [pool, open] : open_)
      if (!open.empty())
        close(pool, open);
  }

private:
  void close(pool_code pool, std::vector<token_id>& open) {
    std::sort(open.begin(), open.end());
    step_.chunks.push_back({pool, std::exchange(open, {}), false});
  }

  plan_step& step_;
  std::size_t chunk_size_;
  std::map<pool_code, std::vector<token_id>> open_;
};

} // namespace signalbox::sqlite
