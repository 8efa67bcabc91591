// Cuts text into the words of byte-level BPE, as places in the text. Knows no token, no normaliser and no added token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/text.h"
#include "twotower/bpe.h"

namespace twotower {

/// The rules are regular expressions (SplitRule) with the classes of byte_level_chars.h. Every byte of a text is in one
/// word, so the words are told by where they begin. Classes of bytes are bit maps of 64 (kernels/text.h, mark_classes);
/// for GPT-2's rule, which is that of RoBERTa and ModernBERT, starts come from shifts of them.
///
/// Not thread-safe; keeps its buffers from text to text.
class ByteLevelSplitter {
 public:
  explicit ByteLevelSplitter(SplitRule rule = SplitRule::kGpt2, const kernels::PairFilter& filter = {});

  /// Where the words of a text begin, ascending, and the text's size behind the last: word i is the bytes
  /// [starts[i], starts[i + 1]). An empty text has no word and the one number 0. Valid until the next call.
  ///
  /// O(bytes). REQUIRES well-formed UTF-8 of less than 2 GiB. A long text is better given in parts (leading_part).
  std::span<const std::uint32_t> split(std::string_view text);

  /// What the last split() saw: bytes beyond ASCII, pairs of the filter.
  const kernels::ClassScan& seen() const noexcept { return seen_; }

  /// The text of the last split() with 0xFF, which no UTF-8 has, in the place of NUL, and kPadding readable bytes
  /// behind it.
  const unsigned char* folded() const noexcept { return folded_.data(); }

  static constexpr std::size_t kPadding = 64;

  /// Bytes of a leading part of a text that can be split by itself: at most `wanted` if there is a place to cut (behind
  /// an ASCII letter or digit and before a space), else up to the first such place, or all. O(bytes looked at).
  /// REQUIRES another rule than kNone.
  static std::size_t leading_part(std::string_view text, std::size_t wanted) noexcept;

 private:
  void class_characters(std::string_view text);
  void find_gpt2_starts(std::string_view text);

  const SplitRule rule_;
  const kernels::PairFilter filter_;
  kernels::ClassScan seen_{};
  const kernels::TextKernels& kernels_;
  std::vector<unsigned char> folded_;
  std::vector<kernels::ByteClasses> classes_;  // of 64 bytes each, and one of white space
  std::vector<std::uint64_t> bits_;            // where words begin
  std::vector<std::uint32_t> starts_;
};

}  // namespace twotower
