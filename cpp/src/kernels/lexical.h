// Sums of quantised impacts.
//
// An instruction-set file includes this header, <cstddef>, <cstdint> and the intrinsics, and nothing else: an inline
// function of any other header, compiled there with wider instructions, could become everyone's copy.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twotower::kernels {

inline constexpr unsigned kEntryTfBits = 2;       ///< of an entry of a list of postings; its place is above them
inline constexpr unsigned kBlockBits = 10;        ///< a block has 2^10 places
inline constexpr std::uint32_t kNoEntry = ~0u;    ///< what find_entries gives for a place that is not in the list
inline constexpr std::size_t kEntryPadding = 32;  ///< entries that find_entries may read behind a list

/// Kernels of one instruction set; kernels.h says what holds for all of them.
struct LexicalKernels {
  /// sums[i] += codes[i] == 0 ? 0 : (codes[i] * multiplier >> 8) + 1, modulo 2^16, for n documents.
  void (*add_column)(std::uint16_t* sums, const std::uint8_t* codes, std::size_t n, std::uint16_t multiplier) noexcept;

  /// Writes sums[i] << 16 | i for each i with sums[i] >= least, ascending, to `found`, sets every sum to 0 and returns
  /// how many were written. REQUIRES n <= 65536, a multiple of 64.
  std::size_t (*take_sums)(std::uint16_t* sums, std::size_t n, std::uint16_t least, std::uint32_t* found) noexcept;

  /// at[i] = the number of the entry of `list` whose place is the low 16 bits of wanted[i], or kNoEntry, for n of them.
  /// REQUIRES ascending places; that those of block b are entries starts[b] to starts[b + 1], for every wanted block;
  /// kEntryPadding more entries that can be read.
  void (*find_entries)(const std::uint16_t* list, const std::uint16_t* starts, const std::uint32_t* wanted,
                       std::size_t n, std::uint32_t* at) noexcept;
};

namespace scalar {
extern const LexicalKernels kLexical;
}
namespace avx2 {
extern const LexicalKernels kLexical;
}
namespace avx512 {
extern const LexicalKernels kLexical;
}

}  // namespace twotower::kernels
