#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>

namespace signalbox {

/// The allocator of one nghttp2 session: keeps small blocks in free lists by size and gives them
/// out again. nghttp2 allocates about six times a request, and with hundreds of streams open the C
/// library's per-thread cache overflows. Holds what the session needed at its peak until it is
/// destroyed, after the session. Not thread-safe.
class session_memory {
public:
  session_memory();
  ~session_memory();

  session_memory(const session_memory&) = delete;
  session_memory& operator=(const session_memory&) = delete;

  /// For `nghttp2_session_client_new3` and its like.
  nghttp2_mem* allocator() { return &allocator_; }

private:
  static constexpr std::size_t granularity = 64;
  static constexpr std::size_t largest = 1024;

  // Before each block; the pointers link free ones.
  struct alignas(std::max_align_t) header {
    std::size_t size; // a multiple of the granularity, or above `largest`
    header* next;
  };

  static void* on_malloc(std::size_t size, void* self);
  static void on_free(void* block, void* self);
  static void* on_calloc(std::size_t count, std::size_t size, void* self);
  static void* on_realloc(void* block, std::size_t size, void* self);

  void* allocate(std::size_t size);
  void release(void* block);

  std::array<header*, largest / granularity + 1> free_{};
  nghttp2_mem allocator_;
};

} // namespace signalbox
