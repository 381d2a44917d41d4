#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace signalbox {

/// Which targets of a chunk have an outcome (or were handed over to a retry): one bit for each
/// index, lowest bit first. A bit counts once: setting it again tells the caller to count nothing.
class done_bits {
public:
  /// `size` bits, all unset.
  explicit done_bits(std::size_t size);
  /// `size` bits as `bytes()` once gave them; no bytes stand for all unset, missing ones too.
  done_bits(std::size_t size, std::string_view bytes);

  /// Sets a bit; true if it was unset before. False for an index outside the chunk.
  bool set(std::size_t index);
  bool test(std::size_t index) const;
  std::size_t size() const { return size_; }
  std::size_t count() const { return count_; }
  std::size_t missing() const { return size_ - count_; }
  bool all() const { return count_ == size_; }
  const std::string& bytes() const { return bytes_; }

private:
  std::size_t size_;
  std::size_t count_ = 0;
  std::string bytes_;
};

} // namespace signalbox
