#include "text/training/wordpiece_cutter.h"

#include <algorithm>

#include "kernels/dispatch.h"
#include "twotower/interrupt.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

constexpr std::size_t kBlock = 64;
constexpr std::size_t kSegmentBytes = std::size_t{1} << 15;  // text that is marked at once; its buffers stay in L2

// Nothing to normalise, but for capitals, which the fold has taken: a word or a symbol of ASCII without controls.
bool is_plain(std::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

bool separates(char c) {
  const bool word_byte = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return c == '\t' || c == '\n' || c == '\r' || (c >= ' ' && c < 0x7F && !word_byte);
}

// Bytes of the first part of a text to mark at once: it ends behind an ASCII space or symbol, or is all of the text.
std::size_t segment_bytes(std::string_view text) {
  for (std::size_t wanted = kSegmentBytes; wanted < text.size(); wanted *= 2) {
    for (std::size_t cut = wanted; cut > wanted / 2; --cut) {
      if (separates(text[cut - 1])) return cut;
    }
  }
  return text.size();
}

}  // namespace

WordPieceCutter::WordPieceCutter(const WordPieceOptions& options, const AddedTokens& added)
    : options_(options), added_(added), mark_tokens_(kernels::active().text.mark_tokens), normalizer_(options) {}

void WordPieceCutter::count(std::string_view text) {
  if (text.size() <= kSegmentBytes && added_.first_byte() >= 0 && !mark(text)) return count_marked(text.size());
  std::size_t at = 0;
  for (AddedTokens::Match match; added_.find(text, at, match); at = match.end) {
    count_plain(text.substr(at, match.begin - at));
  }
  count_plain(text.substr(at));
}

void WordPieceCutter::count_plain(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = segment_bytes(text);
    mark(text.substr(0, size));
    count_marked(size);
    text.remove_prefix(size);
    if (!text.empty()) check_interrupt();
  }
}

// Marks the surface tokens of a text. Returns whether a special token may begin in it.
bool WordPieceCutter::mark(std::string_view text) {
  const std::size_t n_blocks = (text.size() + kBlock - 1) / kBlock;
  if (word_bits_.size() < n_blocks) {
    word_bits_.resize(n_blocks);
    folded_.resize((n_blocks + 1) * kBlock);
  }
  kernels::TokenScan scan{options_.lowercase, static_cast<std::uint8_t>(added_.first_byte())};
  n_starts_ = 0;
  for (std::size_t at = 0; at < text.size(); at += kSegmentBytes) {
    const std::size_t size = std::min(kSegmentBytes, text.size() - at);
    if (starts_.size() < n_starts_ + size + kBlock) starts_.resize(n_starts_ + size + 2 * kBlock);
    n_starts_ += mark_tokens_(scan, reinterpret_cast<const std::uint8_t*>(text.data()) + at, size, folded_.data() + at,
                              word_bits_.data() + at / kBlock, starts_.data() + n_starts_);
  }
  return scan.found_needle;
}

void WordPieceCutter::count_marked(std::size_t size) {
  const auto is_word_byte = [this](std::size_t at) { return (word_bits_[at / kBlock] >> at % kBlock & 1) != 0; };
  for (std::size_t i = 0; i < n_starts_; ++i) {
    const std::size_t start = starts_[i], next = i + 1 < n_starts_ ? starts_[i + 1] : size;
    std::size_t bytes = 1;
    if (is_word_byte(start)) {
      bytes = next - start;
      while (!is_word_byte(start + bytes - 1)) --bytes;  // white space behind it
    }
    const unsigned char* const token = folded_.data() + start;
    if (bytes <= WordTable::kShortBytes) {
      surface_.add_padded(token, bytes);
    } else {
      add_words({reinterpret_cast<const char*>(token), bytes}, 1, words_);
    }
  }
}

void WordPieceCutter::add_words(std::string_view surface, std::uint64_t count, WordTable& words) {
  if (is_plain(surface)) {
    if (surface.size() <= options_.max_input_chars_per_word) words.add(surface, count);
    return;
  }
  normalizer_.normalize(surface);
  for (BertNormalizer::Word word; normalizer_.next_word(word);) {
    if (word.n_chars <= options_.max_input_chars_per_word) words.add(word.bytes, count);
  }
}

void WordPieceCutter::move_to(WordTable& words) {
  surface_.for_each([&](std::string_view surface, std::uint64_t count) { add_words(surface, count, words); });
  words_.for_each([&](std::string_view word, std::uint64_t count) { words.add(word, count); });
  surface_ = WordTable();
  words_ = WordTable();
}

}  // namespace twotower
