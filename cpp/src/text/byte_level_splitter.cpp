#include "text/byte_level_splitter.h"

#include <algorithm>
#include <bit>

#include "kernels/dispatch.h"
#include "text/byte_level_chars.h"
#include "text/contractions.h"
#include "text/gpt4_words.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

constexpr std::size_t kBlock = 64;

using kernels::ByteClasses;

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_cut(std::string_view text, std::size_t at) { return text[at] == ' ' && is_alphanumeric(text[at - 1]); }

}  // namespace

ByteLevelSplitter::ByteLevelSplitter(SplitRule rule, const kernels::PairFilter& filter)
    : rule_(rule), filter_(filter), kernels_(kernels::active().text) {}

std::size_t ByteLevelSplitter::leading_part(std::string_view text, std::size_t wanted) noexcept {
  if (wanted >= text.size()) return text.size();
  for (std::size_t at = wanted; at > 0; --at) {
    if (is_cut(text, at)) return at;
  }
  for (std::size_t at = wanted + 1; at < text.size(); ++at) {
    if (is_cut(text, at)) return at;
  }
  return text.size();
}

std::span<const std::uint32_t> ByteLevelSplitter::split(std::string_view text) {
  const std::size_t n_blocks = (text.size() + kBlock - 1) / kBlock;
  if (classes_.size() < n_blocks + 1) {
    classes_.resize(n_blocks + 1);
    bits_.resize(n_blocks);
    folded_.resize(n_blocks * kBlock + kPadding);
  }
  if (starts_.size() < n_blocks * kBlock + 16) starts_.resize(n_blocks * kBlock + 16);
  seen_ = kernels_.mark_classes(filter_, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                                folded_.data(), classes_.data());
  classes_[n_blocks] = {};
  classes_[n_blocks].white = ~std::uint64_t{0};  // nothing follows the text: as before white space
  if (seen_.beyond_ascii) class_characters(text);
  std::size_t n = text.empty() ? 0 : 1;
  if (rule_ == SplitRule::kNone) {
    starts_[0] = 0;
  } else if (rule_ == SplitRule::kGpt2) {
    find_gpt2_starts(text);
    n = kernels_.list_bits(bits_.data(), n_blocks, starts_.data());
  } else {
    const Gpt4Words words(text, classes_.data(), rule_ == SplitRule::kGpt4 ? 3 : 1);
    n = 0;
    for (std::size_t at = 0; at < text.size(); at = words.end_of_word(at))
      starts_[n++] = static_cast<std::uint32_t>(at);
  }
  starts_[n] = static_cast<std::uint32_t>(text.size());
  return {starts_.data(), n + 1};
}

// Puts the characters beyond ASCII into the bit maps: all bytes of a character have its class.
void ByteLevelSplitter::class_characters(std::string_view text) {
  const std::size_t n_blocks = (text.size() + kBlock - 1) / kBlock;
  std::size_t read_to = 0;  // a character may go on in the next block
  for (std::size_t b = 0; b < n_blocks; ++b) {
    std::uint64_t high = classes_[b].high;
    if (read_to > b * kBlock) high &= ~std::uint64_t{0} << (read_to - b * kBlock);
    while (high != 0) {
      const std::size_t begin = b * kBlock + static_cast<std::size_t>(std::countr_zero(high));
      const char* p = text.data() + begin;
      const ByteLevelClass kind = byte_level_class(decode_utf8(p));
      read_to = static_cast<std::size_t>(p - text.data());
      const std::size_t size = read_to - begin, shift = begin % kBlock;
      high = shift + size >= kBlock ? 0 : high & ~std::uint64_t{0} << (shift + size);
      if (kind == ByteLevelClass::kOther) continue;
      const auto set = [&](std::uint64_t ByteClasses::* map) {
        const std::uint64_t ones = (std::uint64_t{1} << size) - 1;
        classes_[b].*map |= ones << shift;
        if (shift + size > kBlock) classes_[b + 1].*map |= ones >> (kBlock - shift);
      };
      if (kind == ByteLevelClass::kLetter) {
        set(&ByteClasses::letter);
      } else if (kind == ByteLevelClass::kNumber) {
        set(&ByteClasses::digit);
      } else {
        set(&ByteClasses::white);
        // The last white space of several stands by itself. Its first byte tells, not its last one.
        const char* next = p;
        const bool last =
            next != text.data() + text.size() && byte_level_class(decode_utf8(next)) != ByteLevelClass::kWhite;
        if (last) classes_[b].start |= std::uint64_t{1} << shift;
      }
    }
  }
}

void ByteLevelSplitter::find_gpt2_starts(std::string_view text) {
  const std::size_t n_blocks = (text.size() + kBlock - 1) / kBlock;
  std::uint64_t letter = 0, digit = 0, other = 0, white = 0, space = 0;  // of the block before
  std::uint64_t set = 0, cleared = 0;                                    // by a contraction that began in it
  for (std::size_t b = 0; b < n_blocks; ++b) {
    const ByteClasses& now = classes_[b];
    const auto before = [](std::uint64_t map, std::uint64_t last) { return map << 1 | last >> 63; };
    const std::uint64_t now_other = ~(now.letter | now.digit | now.white);
    const std::uint64_t after_space = before(now.space, space), after_other = before(now_other, other);
    const std::uint64_t changed = (now.letter & ~before(now.letter, letter)) | (now.digit & ~before(now.digit, digit)) |
                                  (now_other & ~after_other);
    const std::uint64_t dark_next = ~(now.white >> 1 | classes_[b + 1].white << 63) & ~now.high;
    std::uint64_t starts = (changed & ~after_space) | (now.white & (~before(now.white, white) | dark_next)) | now.start;
    if (b == 0) starts |= 1;
    std::uint64_t next_set = 0, next_cleared = 0;
    for (std::uint64_t quotes = now.quote & starts; quotes != 0; quotes &= quotes - 1) {
      const auto at = static_cast<std::size_t>(std::countr_zero(quotes));
      const std::size_t size = contraction_bytes(text, b * kBlock + at, 0);
      if (size == 0) continue;
      (at + 1 < kBlock ? cleared : next_cleared) |= std::rotl(std::uint64_t{1}, static_cast<int>((at + 1) % kBlock));
      (at + size < kBlock ? set : next_set) |= std::rotl(std::uint64_t{1}, static_cast<int>((at + size) % kBlock));
    }
    bits_[b] = (starts & ~cleared) | set;
    set = next_set;
    cleared = next_cleared;
    letter = now.letter;
    digit = now.digit;
    other = now_other;
    white = now.white;
    space = now.space;
  }
  if (text.size() % kBlock != 0) bits_[n_blocks - 1] &= (std::uint64_t{1} << text.size() % kBlock) - 1;
}

}  // namespace twotower
