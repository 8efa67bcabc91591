#include "text/bert_normalizer.h"

#include <algorithm>

#include "text/hangul.h"
#include "text/wordpiece_chars.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

constexpr char32_t kCapitalIWithDot = 0x0130, kDotAbove = 0x0307;

bool has(char32_t c, std::uint8_t flags) { return (wordpiece_char(c).flags & flags) != 0; }

}  // namespace

void BertNormalizer::normalize(std::string_view text) {
  chars_.clear();
  marks_.clear();
  last_starter_ = {};
  at_ = 0;
  for (const char* p = text.data(); p != text.data() + text.size();) {
    const char* const begin = p;
    Char source;
    if (static_cast<unsigned char>(*p) == kFoldedNul) {
      source.c = 0;
      ++p;
    } else {
      source.c = decode_utf8(p);
    }
    source.begin = static_cast<std::uint32_t>(begin - text.data());
    source.end = static_cast<std::uint32_t>(p - text.data());
    const std::uint8_t flags = wordpiece_char(source.c).flags;
    if (options_.clean_text) {
      if ((flags & WordPieceChar::kControl) != 0) continue;
      if ((flags & WordPieceChar::kSpace) != 0) source.c = U' ';
    }
    const bool apart = options_.handle_chinese_chars && (flags & WordPieceChar::kHan) != 0;
    if (apart) {
      put_marks();
      put_separator();
    }
    if (options_.strip_accents) {
      put_decomposed(source);
    } else {
      put_lower(source);
    }
    if (apart) {
      put_marks();
      put_separator();
    }
  }
  put_marks();
}

void BertNormalizer::put_decomposed(const Char& source) {
  const auto put = [&](char32_t c, bool added) {
    const WordPieceChar& record = wordpiece_char(c);
    put_part({c, source.begin, source.end}, record.combining, (record.flags & WordPieceChar::kMark) != 0, added);
  };
  if (hangul::is_syllable(source.c)) {
    const hangul::Jamo jamo = hangul::jamo_of(source.c);
    put(jamo.lead, false);
    put(jamo.vowel, true);
    if (jamo.tail != 0) put(jamo.tail, true);
    return;
  }
  const auto parts = parts_of(wordpiece_char(source.c));
  if (parts.empty()) return put(source.c, false);
  for (std::size_t i = 0; i < parts.size(); ++i) put(parts[i], i > 0);
}

void BertNormalizer::put_part(const Char& part, std::uint8_t combining, bool dropped, bool added) {
  if (combining != 0) {
    marks_.push_back({part, combining, added});
    return;
  }
  put_marks();
  last_starter_ = part;
  if (!dropped) put_lower(part);
}

void BertNormalizer::put_marks() {
  if (marks_.empty()) return;
  sort_marks();
  for (const Mark& mark : marks_) {
    if (!has(mark.from.c, WordPieceChar::kMark)) put_lower(mark.from);
  }
  marks_.clear();
}

// Canonical order. The places go by position: the n-th mark that replaces a character of the text gets the place of the
// n-th such character, and an added mark that of the one before it, whatever they were before the sort.
void BertNormalizer::sort_marks() {
  const auto by_class = [](const Mark& a, const Mark& b) { return a.combining < b.combining; };
  if (std::is_sorted(marks_.begin(), marks_.end(), by_class)) return;
  std::vector<Char> places;
  for (const Mark& mark : marks_) {
    if (!mark.added) places.push_back(mark.from);
  }
  std::stable_sort(marks_.begin(), marks_.end(), by_class);
  Char place = last_starter_;
  auto next = places.begin();
  for (Mark& mark : marks_) {
    if (!mark.added) place = *next++;
    mark.from.begin = place.begin;
    mark.from.end = place.end;
  }
}

void BertNormalizer::put_lower(const Char& source) {
  Char lower = source;
  if (options_.lowercase) {
    lower.c = static_cast<char32_t>(static_cast<std::int32_t>(source.c) + wordpiece_char(source.c).to_lower);
  }
  chars_.push_back(lower);
  if (options_.lowercase && source.c == kCapitalIWithDot) chars_.push_back({kDotAbove, source.begin, source.end});
}

bool BertNormalizer::next_word(Word& word) {
  while (at_ < chars_.size() && has(chars_[at_].c, WordPieceChar::kSpace)) ++at_;
  if (at_ == chars_.size()) return false;
  const std::size_t first = at_;
  if (has(chars_[at_].c, WordPieceChar::kPunctuation)) {
    ++at_;
  } else {
    while (at_ < chars_.size() && !has(chars_[at_].c, WordPieceChar::kSpace | WordPieceChar::kPunctuation)) ++at_;
  }
  word_.resize(4 * (at_ - first));
  char* out = word_.data();
  for (std::size_t i = first; i < at_; ++i) out = encode_utf8(chars_[i].c, out);
  word = {{word_.data(), static_cast<std::size_t>(out - word_.data())}, at_ - first, first};
  return true;
}

}  // namespace twotower
