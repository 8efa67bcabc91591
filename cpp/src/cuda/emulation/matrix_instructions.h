// The arithmetic of matrix instructions, on the host: 16 x 8 sums of products of rows of 32 bytes.
//
// Sums of float products are cut instead of rounded to the nearest, which is worse than any device is known to be
// (Fasi, Higham, Mikaitis, Pranesh 2021, "Numerical behavior of NVIDIA tensor cores", section 3).
#pragma once

#include <cstdint>

#include "cuda/multiply_kinds.h"
#include "cuda/numbers.h"

namespace twotower::cuda {

/// Where wgmma reads a word of row `row` of a described matrix (PTX ISA, "Matrix Descriptor Format"): eight rows of 128
/// bytes, the descriptor's stride from eight rows to the next, and address bits 4 to 6 xored with bits 7 to 9. NaN for
/// another swizzle, or an offset of the swizzle's base.
inline std::uint32_t described_word(std::uint64_t descriptor, const unsigned char* shared, int row, int word) {
  const auto begin = static_cast<std::uint32_t>(descriptor & 0x3FFFu) << 4;
  const auto stride = static_cast<std::uint32_t>(descriptor >> 32 & 0x3FFFu) << 4;
  if (descriptor >> 62 != 1 || (descriptor >> 49 & 7u) != 0) return 0xFFFFFFFFu;
  const std::uint32_t plain =
      begin + static_cast<std::uint32_t>(row / 8) * stride + static_cast<std::uint32_t>(row % 8 * 128 + word * 4);
  const std::uint32_t address = plain ^ (plain >> 7 & 7u) << 4;
  std::uint32_t value;
  __builtin_memcpy(&value, shared + address, sizeof value);
  return value;
}

inline float cut_to_float(double value) {
  const float nearest = static_cast<float>(value);
  const double back = static_cast<double>(nearest);
  const bool away = value > 0 ? back > value : back < value;
  return !away ? nearest : value > 0 ? next_down(nearest) : next_up(nearest);
}

template <class Kind>
class MatrixOperands {
 public:
  struct Words {
    std::uint32_t a[16][8], b[8][8];
  };

  explicit MatrixOperands(const Words& words) {
    for (int w = 0; w < 8; ++w) {
      for (std::uint32_t e = 0; e < kOfWord; ++e) {
        const int k = w * static_cast<int>(kOfWord) + static_cast<int>(e);
        for (int row = 0; row < 16; ++row) a_[row][k] = element_of_word(Kind::kStorage, words.a[row][w], e);
        for (int row = 0; row < 8; ++row) b_[row][k] = element_of_word(Kind::kStorage, words.b[row][w], e);
      }
    }
  }

  void add_product(int row, int column, float& sum) const {
    double exact = static_cast<double>(sum);
    for (int k = 0; k < kDepth; ++k) exact += static_cast<double>(a_[row][k]) * static_cast<double>(b_[column][k]);
    sum = cut_to_float(exact);
  }
  void add_product(int row, int column, std::int32_t& sum) const {
    for (int k = 0; k < kDepth; ++k) {
      sum += static_cast<std::int32_t>(a_[row][k]) * static_cast<std::int32_t>(b_[column][k]);
    }
  }

 private:
  static constexpr std::uint32_t kOfWord = 4 / element_bytes(Kind::kStorage);
  static constexpr int kDepth = 8 * static_cast<int>(kOfWord);
  float a_[16][kDepth];
  float b_[8][kDepth];
};

}  // namespace twotower::cuda
