// Where tokens, words and classes of bytes stand in a text.
//
// An instruction-set file includes this header, <cstddef>, <cstdint> and the intrinsics, and nothing else: an inline
// function of any other header, compiled there with wider instructions, could become everyone's copy.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twotower::kernels {

/// Options and state of mark_tokens.
struct TokenScan {
  bool lowercase;
  std::uint8_t needle;         // a byte to look out for
  std::uint32_t position = 0;  // of the text's first byte; afterwards of the byte behind it
  bool in_word = false;        // the byte before it is a word byte
  bool beyond_ascii = false;   // set when a byte from 0x80 up was seen
  bool found_needle = false;   // set when the needle was seen
};

/// Rules of mark_words.
struct WordScan {
  bool lowercase;       // fold A-Z
  bool at_white_space;  // words end at ASCII white space alone; else at every ASCII byte but letters, digits,
                        // apostrophes
};

/// Which pairs of neighbouring bytes may begin something that is sought, by the four halves of the two bytes: a pair is
/// marked where one bit is set in low[0][a & 15], high[0][a >> 4], low[1][b & 15] and high[1][b >> 4]. It may mark
/// pairs that nothing begins with, and misses none.
struct PairFilter {
  std::uint8_t low[2][16];
  std::uint8_t high[2][16];
};

/// What mark_classes saw in a text.
struct ClassScan {
  bool beyond_ascii;  // a byte from 0x80 up
  bool pair;          // a pair of the filter; behind the last byte stands a space
};

/// Classes of 64 bytes of a text as bit maps: bit i is byte i.
struct ByteClasses {
  std::uint64_t letter;  // A-Z a-z
  std::uint64_t digit;   // 0-9
  std::uint64_t white;   // \t \n \v \f \r and the space
  std::uint64_t space;   // the space alone
  std::uint64_t quote;   // '
  std::uint64_t high;    // 0x80 up: in no other map
  std::uint64_t start;   // for the caller; nothing
};

/// Kernels of one instruction set; kernels.h says what holds for all of them.
struct TextKernels {
  /// Finds the surface tokens of a text: runs of ASCII letters, digits, controls other than \t \n \r and bytes from
  /// 0x80 up ("word bytes"), and every other printable ASCII character but the space by itself. Writes the position of
  /// each token's first byte, ascending, to `starts` and returns how many; bit i % 64 of words[i / 64] says that byte i
  /// is a word byte; folded[i] is the byte, in lower case if it is A-Z and `lowercase`, 0xFF if it is 0.
  ///
  /// A text may come in several calls, all but the last of a multiple of 64 bytes. Writes whole blocks of 64: folded
  /// and words have room for n = 64 * ceil(size / 64) bytes and bits, starts for n + 16 numbers. Bits behind the text
  /// are 0; bytes behind it and numbers behind the last are anything. No argument overlaps another.
  std::size_t (*mark_tokens)(TokenScan& scan, const std::uint8_t* text, std::size_t size, std::uint8_t* folded,
                             std::uint64_t* words, std::uint32_t* starts) noexcept;

  /// Writes the classes of each 64 bytes of a text to `blocks`, and the text with 0xFF for 0 to `folded`. Writes whole
  /// blocks of 64, as if spaces stood behind the text. Nothing overlaps.
  ClassScan (*mark_classes)(const PairFilter& filter, const std::uint8_t* text, std::size_t size, std::uint8_t* folded,
                            ByteClasses* blocks) noexcept;

  /// The place of the first pair of a filter at or behind `from`, or `size`; behind the last byte stands a space.
  std::size_t (*find_pair)(const PairFilter& filter, const std::uint8_t* text, std::size_t from,
                           std::size_t size) noexcept;

  /// Writes the places of the bits that are set, ascending: 64 * w + i for bit i of words[w]. Returns how many; up to
  /// 16 numbers behind the last one may be written, too.
  std::size_t (*list_bits)(const std::uint64_t* words, std::size_t n_words, std::uint32_t* places) noexcept;

  /// Finds the runs of word bytes of a text: ASCII letters and digits, bytes from 0x80 up, and an apostrophe that has a
  /// letter or a byte from 0x80 up on both sides; with `at_white_space` all bytes but 9 to 13 and 28 to 32. Writes the
  /// position of each run's first byte, ascending, to `starts` and returns how many; words and folded, and the room
  /// that all three need, are those of mark_tokens.
  std::size_t (*mark_words)(WordScan scan, const std::uint8_t* text, std::size_t size, std::uint8_t* folded,
                            std::uint64_t* words, std::uint32_t* starts) noexcept;
};

namespace scalar {
extern const TextKernels kText;
}
namespace avx2 {
extern const TextKernels kText;
}
namespace avx512 {
extern const TextKernels kText;
}

}  // namespace twotower::kernels
