#include "text/word_reader.h"

#include <array>
#include <utility>

#include "text/unicode.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

constexpr unsigned char kBreak = 0xFF;  // no ASCII byte
constexpr unsigned char kBeyondAscii = 0x80;
constexpr char kApostrophe = '\'';

using AsciiTable = std::array<unsigned char, 128>;

AsciiTable make_ascii_table(WordRule rule, bool lowercase) {
  AsciiTable table;
  for (char32_t c = 0; c < table.size(); ++c) {
    const CharClass kind = char_record(c).kind;
    const bool in_word = rule == WordRule::kWhitespace ? kind != CharClass::kSpace
                                                       : kind == CharClass::kLetter || kind == CharClass::kNumber;
    table[c] = in_word ? static_cast<unsigned char>(lowercase ? lower_case(c) : c) : kBreak;
  }
  return table;
}

const unsigned char* ascii_table(WordRule rule, bool lowercase) {
  static const std::array<AsciiTable, 4> tables = {
      make_ascii_table(WordRule::kUnicode, false), make_ascii_table(WordRule::kUnicode, true),
      make_ascii_table(WordRule::kWhitespace, false), make_ascii_table(WordRule::kWhitespace, true)};
  return tables[(rule == WordRule::kWhitespace ? 2u : 0u) + (lowercase ? 1u : 0u)].data();
}

// Lower case grows a character by at most half (2 bytes to 3), so every word of the text fits.
char* room_for(std::string_view text, std::string& buffer) {
  const std::size_t needed = text.size() + text.size() / 2 + 4;
  if (buffer.size() < needed) buffer.resize(needed);
  return buffer.data();
}

std::string_view between(const char* begin, const char* end) { return {begin, static_cast<std::size_t>(end - begin)}; }

unsigned char byte_at(const char* p) { return static_cast<unsigned char>(*p); }

}  // namespace

WordReader::WordReader(std::string_view text, WordRule rule, bool lowercase, std::string& buffer)
    : at_(text.data()),
      end_(text.data() + text.size()),
      out_(room_for(text, buffer)),
      ascii_(ascii_table(rule, lowercase)),
      rule_(rule),
      lowercase_(lowercase) {}

bool WordReader::next(std::string_view& word) {
  return rule_ == WordRule::kUnicode ? next_unicode(word) : next_whitespace(word);
}

bool WordReader::next_unicode(std::string_view& word) {
  while (at_ != end_) {
    if (byte_at(at_) < kBeyondAscii) {
      if (ascii_[byte_at(at_)] == kBreak) {
        ++at_;
        continue;
      }
      word = take_word();
      return true;
    }
    const char* after = at_;
    const CharClass kind = char_record(decode_utf8(after)).kind;
    if (kind == CharClass::kLetter || kind == CharClass::kNumber) {
      word = take_word();
      return true;
    }
    if (kind == CharClass::kCjk) {
      if (take_cjk(word)) return true;
    } else {
      at_ = after;
    }
  }
  return false;
}

// The word that begins at at_. An ASCII stretch is copied byte by byte; any other character goes through the tables.
std::string_view WordReader::take_word() {
  char* out = out_;
  CharClass previous = CharClass::kOther;
  while (at_ != end_) {
    unsigned char folded;
    while (at_ != end_ && byte_at(at_) < kBeyondAscii && (folded = ascii_[byte_at(at_)]) != kBreak) {
      previous = *at_ <= '9' ? CharClass::kNumber : CharClass::kLetter;
      *out++ = static_cast<char>(folded);
      ++at_;
    }
    if (at_ == end_ || (byte_at(at_) < kBeyondAscii && *at_ != kApostrophe)) break;
    const char* after = at_;
    const char32_t c = decode_utf8(after);
    const CharClass kind = char_record(c).kind;
    if (kind == CharClass::kApostrophe) {
      if ((previous != CharClass::kLetter && previous != CharClass::kMark) || !letter_follows(after)) break;
      *out++ = kApostrophe;
    } else if (kind == CharClass::kLetter || kind == CharClass::kNumber || kind == CharClass::kMark) {
      out = put(c, out);
    } else if (kind != CharClass::kIgnored) {
      break;
    }
    if (kind != CharClass::kIgnored) previous = kind;
    at_ = after;
  }
  return between(out_, out);
}

// One step through a run of CJK characters: each neighbouring pair is a word; a character alone is a word by itself.
// Returns false where the last character of a run has already been the second half of a pair.
bool WordReader::take_cjk(std::string_view& word) {
  char* const second = take_cjk_unit(out_);
  const char* after = at_;
  if (at_ != end_ && char_record(decode_utf8(after)).kind == CharClass::kCjk) {
    const char* const next_unit = at_;
    word = between(out_, take_cjk_unit(second));
    at_ = next_unit;
    in_cjk_run_ = true;
    return true;
  }
  word = between(out_, second);
  return !std::exchange(in_cjk_run_, false);
}

// Copies one CJK character with the marks that follow it, and moves behind both.
char* WordReader::take_cjk_unit(char* out) {
  const char* after = at_;
  out = put(decode_utf8(after), out);
  at_ = after;
  while (at_ != end_) {
    const char32_t c = decode_utf8(after);
    const CharClass kind = char_record(c).kind;
    if (kind == CharClass::kMark) {
      out = put(c, out);
    } else if (kind != CharClass::kIgnored) {
      break;
    }
    at_ = after;
  }
  return out;
}

bool WordReader::letter_follows(const char* p) const {
  CharClass kind = CharClass::kIgnored;
  while (p != end_ && kind == CharClass::kIgnored) kind = char_record(decode_utf8(p)).kind;
  return kind == CharClass::kLetter;
}

char* WordReader::put(char32_t c, char* out) const { return encode_utf8(lowercase_ ? lower_case(c) : c, out); }

bool WordReader::next_whitespace(std::string_view& word) {
  char* out = out_;
  while (at_ != end_) {
    bool space;
    if (byte_at(at_) < kBeyondAscii) {
      const unsigned char folded = ascii_[byte_at(at_++)];
      space = folded == kBreak;
      if (!space) *out++ = static_cast<char>(folded);
    } else {
      const char32_t c = decode_utf8(at_);
      space = char_record(c).kind == CharClass::kSpace;
      if (!space) out = put(c, out);
    }
    if (space && out != out_) break;
  }
  word = between(out_, out);
  return out != out_;
}

}  // namespace twotower
