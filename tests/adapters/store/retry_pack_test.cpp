#include "adapters/store/sqlite/retry_pack.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <map>

namespace signalbox::sqlite {
namespace {

using entries = std::vector<retry_entry>;

TEST(retry_pack, an_entry_takes_about_six_bytes) {
  entries list;
  for (std::uint32_t i = 0; i < 256; ++i)
    list.push_back({1'000'000 + i * 50, 1'000 + i / 20, i * 3, 2, false});
  const auto bytes = encode_retries(list);
  EXPECT_LT(bytes.size(), 256u * 6);
  EXPECT_EQ(decode_retries(bytes), list);
}

TEST(retry_pack, the_largest_values_survive) {
  constexpr auto most = std::numeric_limits<std::uint32_t>::max();
  const entries list{{1, most, most, 0, true},
                     {2, 0, 0, std::numeric_limits<std::uint16_t>::max(), true},
                     {std::numeric_limits<token_id>::max(), most, 1, 1, false}};
  EXPECT_EQ(decode_retries(encode_retries(list)), list);
}

TEST(retry_pack, no_entries_are_no_bytes) {
  EXPECT_EQ(encode_retries({}), "");
  EXPECT_EQ(decode_retries(""), entries{});
}

TEST(retry_pack, broken_bytes_are_refused) {
  const auto refused = [](std::string_view bytes) { return !decode_retries(bytes).has_value(); };
  EXPECT_TRUE(refused("\x05")) << "cut off";
  EXPECT_TRUE(refused({"\x00\x00\x00\x00", 4})) << "token 0";
  EXPECT_TRUE(refused({"\x05\x00\x00\x02\x00\x00\x00\x02", 8})) << "the same token twice";
  EXPECT_TRUE(refused({"\x05\x01\x00\x02", 4})) << "a chunk below 0";
  EXPECT_TRUE(refused({"\x05\x00\xff\xff\xff\xff\x1f\x02", 8})) << "a position over 32 bits";
  EXPECT_TRUE(refused({"\x05\x00\x00\x80\x80\x08", 6})) << "attempts over 16 bits";
  EXPECT_TRUE(refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f")) << "over 64 bits";
  EXPECT_TRUE(refused({"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\x00\x00\x02", 13}))
    << "a token over 63 bits";
}

// Every prefix too: none of it is taken for less than it was.
RC_GTEST_PROP(retry_pack, what_is_encoded_is_decoded_whole_or_not_at_all, ()) {
  using fields = std::tuple<std::uint32_t, std::uint32_t, std::uint16_t, bool>;
  const auto made = *rc::gen::container<std::map<token_id, fields>>(
    rc::gen::inRange<token_id>(1, std::numeric_limits<token_id>::max()),
    rc::gen::arbitrary<fields>());
  entries list;
  for (const auto& [token, rest] : made)
    list.push_back(
      {token, std::get<0>(rest), std::get<1>(rest), std::get<2>(rest), std::get<3>(rest)});
  const auto bytes = encode_retries(list);
  RC_ASSERT(decode_retries(bytes) == list);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto part = decode_retries(std::string_view{bytes}.substr(0, cut));
    RC_ASSERT(!part || part->size() < list.size());
  }
}

TEST(retry_pack, whatever_a_byte_is_changed_to_it_is_refused_or_ascends) {
  const auto good =
    encode_retries(entries{{1, 0, 3, 0, false}, {300, 7, 900, 2, true}, {70'000, 7, 1, 1, false}});
  std::size_t decoded = 0;
  std::size_t refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at)
    for (int value = 0; value < 256; ++value) {
      auto bytes = good;
      bytes[at] = static_cast<char>(value);
      const auto list = decode_retries(bytes);
      ++(list ? decoded : refused);
      token_id last = 0;
      for (const auto& each : list.value_or(entries{})) {
        EXPECT_GT(each.token, last) << "byte " << at << " is " << value;
        last = each.token;
      }
    }
  EXPECT_GT(decoded, good.size()) << "more than the good one again";
  EXPECT_GT(refused, 0u);
}

} // namespace
} // namespace signalbox::sqlite
