#include "adapters/http2/session_memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace signalbox {

session_memory::session_memory() : allocator_{this, on_malloc, on_free, on_calloc, on_realloc} {}

session_memory::~session_memory() {
  for (auto* first : free_) {
    while (first != nullptr) {
      auto* gone = first;
      first = first->next;
      std::free(gone);
    }
  }
}

void* session_memory::allocate(std::size_t size) {
  if (size > std::numeric_limits<std::size_t>::max() / 2)
    return nullptr;
  const auto rounded = (size + granularity - 1) / granularity * granularity;
  header* block = nullptr;
  if (rounded <= largest && (block = free_[rounded / granularity]) != nullptr) {
    free_[rounded / granularity] = block->next;
    return block + 1;
  }
  block = static_cast<header*>(std::malloc(sizeof(header) + rounded));
  if (block == nullptr)
    return nullptr;
  block->size = rounded;
  return block + 1;
}

void session_memory::release(void* memory) {
  if (memory == nullptr)
    return;
  auto* block = static_cast<header*>(memory) - 1;
  if (block->size > largest)
    return std::free(block);
  auto& first = free_[block->size / granularity];
  block->next = first;
  first = block;
}

void* session_memory::on_malloc(std::size_t size, void* self) {
  return static_cast<session_memory*>(self)->allocate(size);
}

void session_memory::on_free(void* block, void* self) {
  static_cast<session_memory*>(self)->release(block);
}

void* session_memory::on_calloc(std::size_t count, std::size_t size, void* self) {
  if (size != 0 && count > std::numeric_limits<std::size_t>::max() / size)
    return nullptr;
  auto* block = on_malloc(count * size, self);
  if (block != nullptr)
    std::memset(block, 0, count * size);
  return block;
}

void* session_memory::on_realloc(void* block, std::size_t size, void* self) {
  auto* moved = on_malloc(size, self);
  if (moved != nullptr && block != nullptr) {
    std::memcpy(moved, block, std::min(size, (static_cast<header*>(block) - 1)->size));
    on_free(block, self);
  }
  return moved;
}

} // namespace signalbox
