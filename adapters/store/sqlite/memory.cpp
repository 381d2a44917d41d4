#include "adapters/store/sqlite/memory.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace signalbox::sqlite {

namespace {

constexpr std::size_t granularity = 64;
constexpr std::size_t largest = 1024;
constexpr std::size_t kept_bytes_of_a_size = 64 * 1024;

// Before each block; the pointers link free ones.
struct alignas(std::max_align_t) header {
  std::size_t size; // a multiple of the granularity, or above `largest`
  header* next;
};

struct free_list {
  header* first;
  std::size_t bytes;
};

// Without a destructor, since SQLite may free after those of the thread have run.
struct kept_blocks {
  std::array<free_list, largest / granularity + 1> lists;
  bool is_over;
};

thread_local constinit kept_blocks kept{};

struct end_of_thread {
  ~end_of_thread() {
    kept.is_over = true;
    for (auto& list : kept.lists)
      while (auto* gone = list.first) {
        list.first = gone->next;
        std::free(gone);
      }
  }
};

header* header_of(void* block) {
  return static_cast<header*>(block) - 1;
}

int round_up(int size) {
  const auto step = static_cast<std::size_t>(size) <= largest ? granularity : 8;
  return static_cast<int>((static_cast<std::size_t>(size) + step - 1) / step * step);
}

void* allocate(int asked) {
  const auto size = static_cast<std::size_t>(round_up(asked));
  if (size <= largest) {
    auto& list = kept.lists[size / granularity];
    if (auto* block = list.first) {
      list.first = block->next;
      list.bytes -= size;
      return block + 1;
    }
  }
  auto* block = static_cast<header*>(std::malloc(sizeof(header) + size));
  if (block == nullptr)
    return nullptr;
  block->size = size;
  return block + 1;
}

void release(void* memory) {
  if (memory == nullptr)
    return;
  static thread_local const end_of_thread at_end;
  auto* block = header_of(memory);
  if (block->size > largest || kept.is_over)
    return std::free(block);
  auto& list = kept.lists[block->size / granularity];
  if (list.bytes + block->size > kept_bytes_of_a_size)
    return std::free(block);
  list.bytes += block->size;
  block->next = list.first;
  list.first = block;
}

int size_of(void* block) {
  return block == nullptr ? 0 : static_cast<int>(header_of(block)->size);
}

void* reallocate(void* block, int size) {
  if (round_up(size) == size_of(block))
    return block;
  if (static_cast<std::size_t>(size) > largest && header_of(block)->size > largest) {
    const auto rounded = static_cast<std::size_t>(round_up(size));
    auto* moved = static_cast<header*>(std::realloc(header_of(block), sizeof(header) + rounded));
    if (moved == nullptr)
      return nullptr;
    moved->size = rounded;
    return moved + 1;
  }
  auto* moved = allocate(size);
  if (moved != nullptr) {
    std::memcpy(moved, block, static_cast<std::size_t>(std::min(size, size_of(block))));
    release(block);
  }
  return moved;
}

int begin(void*) {
  return SQLITE_OK;
}

void end(void*) {}

} // namespace

void keep_small_blocks() {
  static const sqlite3_mem_methods methods{allocate, release, reallocate, size_of,
                                           round_up, begin,   end,        nullptr};
  sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

} // namespace signalbox::sqlite
