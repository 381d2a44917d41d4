// The small blocks that SQLite's threads keep.

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/memory.hpp"
#include "tests/adapters/store/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <malloc.h>
#include <thread>
#include <vector>

namespace signalbox::sqlite {
namespace {

class memory : public testing::Test {
protected:
  static std::size_t in_use() { return ::mallinfo2().uordblks; }

  static void use_and_free(int count, int size) {
    std::vector<void*> blocks;
    for (int i = 0; i < count; ++i)
      blocks.push_back(sqlite3_malloc(size));
    for (auto* each : blocks)
      sqlite3_free(each);
  }

  temporary_folder folder;
  connection database{folder.file("test.db"), {}}; // has SQLite use it
};

TEST_F(memory, a_block_that_was_freed_is_the_next_of_its_size) {
  auto* small = sqlite3_malloc(500);
  EXPECT_EQ(sqlite3_msize(small), 512u) << "in steps of 64";
  auto* other = sqlite3_malloc(500);
  sqlite3_free(small);
  sqlite3_free(other);
  auto* wider = sqlite3_malloc(513);
  EXPECT_NE(wider, other);
  EXPECT_EQ(sqlite3_malloc(449), other);
  EXPECT_EQ(sqlite3_malloc(512), small);
  for (auto* each : {small, other, wider})
    sqlite3_free(each);
}

TEST_F(memory, what_is_in_a_block_stays_when_it_grows_and_shrinks) {
  const std::vector<int> sizes{1, 64, 65, 1'024, 1'025, 5'000, 70'000, 2'000, 1'024, 10};
  auto* block = static_cast<unsigned char*>(sqlite3_malloc(1));
  block[0] = 0;
  int known = 1;
  for (const int size : sizes) {
    block = static_cast<unsigned char*>(sqlite3_realloc(block, size));
    ASSERT_GE(sqlite3_msize(block), static_cast<sqlite3_uint64>(size));
    for (int i = 0; i < std::min(known, size); ++i)
      ASSERT_EQ(block[i], static_cast<unsigned char>(i)) << size;
    for (int i = 0; i < size; ++i)
      block[i] = static_cast<unsigned char>(i);
    known = size;
  }
  sqlite3_free(block);
}

TEST_F(memory, a_thread_keeps_a_bounded_part_and_nothing_after_its_end) {
  std::thread{[] { use_and_free(1, 64); }}.join(); // what the first thread costs the C library
  const auto before = in_use();
  std::size_t kept = 0;
  std::thread{[&] {
    for (int size = 64; size <= 1'024; size += 64)
      use_and_free(5'000, size);
    kept = in_use() - before;
  }}.join();
  EXPECT_LT(kept, 17u * 96 * 1'024) << "with the headers";
  EXPECT_LT(in_use(), before + 64 * 1'024);
}

} // namespace
} // namespace signalbox::sqlite
