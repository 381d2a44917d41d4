#include "actors/target_list.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

namespace signalbox {
namespace {

using ids = std::vector<token_id>;

TEST(target_list, neighbours_take_a_byte_each) {
  ids list;
  for (token_id id = 1'000'000; id < 1'001'000; ++id)
    list.push_back(id);
  EXPECT_EQ(encode_targets(list).size(), 1'002u);
  EXPECT_EQ(decode_targets(encode_targets(list)), list);
}

TEST(target_list, the_largest_id_survives) {
  const ids list{1, std::numeric_limits<token_id>::max()};
  EXPECT_EQ(decode_targets(encode_targets(list)), list);
}

TEST(target_list, an_empty_list_is_no_bytes) {
  EXPECT_EQ(encode_targets({}), "");
  EXPECT_EQ(decode_targets(""), ids{});
}

TEST(target_list, broken_bytes_are_refused) {
  EXPECT_FALSE(decode_targets(std::string_view{"\x80", 1})) << "cut off";
  EXPECT_FALSE(decode_targets(std::string_view{"\x05\x00", 2})) << "the same id twice";
  EXPECT_FALSE(decode_targets("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f")) << "over 64 bits";
  EXPECT_FALSE(decode_targets("\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x01")) << "over 63 bits in sum";
}

RC_GTEST_PROP(target_list, what_is_encoded_is_decoded, ()) {
  const auto set = *rc::gen::container<std::set<token_id>>(
    rc::gen::inRange<token_id>(1, std::numeric_limits<token_id>::max()));
  const ids list{set.begin(), set.end()};
  RC_ASSERT(decode_targets(encode_targets(list)) == list);
}

TEST(target_list, whatever_a_byte_is_changed_to_it_is_refused_or_ascends) {
  const auto good =
    encode_targets(ids{1, 2, 300, 70'000, std::numeric_limits<token_id>::max() / 2});
  std::size_t decoded = 0;
  std::size_t refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at)
    for (int value = 0; value < 256; ++value) {
      auto bytes = good;
      bytes[at] = static_cast<char>(value);
      const auto list = decode_targets(bytes);
      ++(list ? decoded : refused);
      if (list) {
        EXPECT_EQ(std::adjacent_find(list->begin(), list->end(), std::greater_equal<>{}),
                  list->end())
          << "byte " << at << " is " << value;
      }
    }
  EXPECT_GT(decoded, good.size()) << "more than the good one again";
  EXPECT_GT(refused, 0u);
}

} // namespace
} // namespace signalbox
