#include "text/word_reader.h"

#include <array>

#include "text/unicode.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

constexpr unsigned char kBreak = 0xFF;     // no ASCII byte
constexpr unsigned char kByTables = 0x80;  // a word character whose lower case is not one ASCII byte
constexpr unsigned char kBeyondAscii = 0x80;
constexpr char kApostrophe = '\'';
constexpr char32_t kDotlessI = 0x131;

using AsciiTable = std::array<unsigned char, 128>;

char32_t lower_of(char32_t c, bool turkish) noexcept { return turkish && c == 'I' ? kDotlessI : lower_case(c); }

AsciiTable make_ascii_table(const WordOptions& options) {
  AsciiTable table;
  for (char32_t c = 0; c < table.size(); ++c) {
    const CharClass kind = char_record(c).kind;
    const bool in_word = options.rule == WordRule::kWhitespace
                             ? kind != CharClass::kSpace
                             : kind == CharClass::kLetter || kind == CharClass::kNumber;
    const char32_t lower = options.lowercase ? lower_of(c, options.turkish) : c;
    table[c] = !in_word ? kBreak : lower >= kBeyondAscii ? kByTables : static_cast<unsigned char>(lower);
  }
  return table;
}

const unsigned char* ascii_table(const WordOptions& options) {
  static const auto tables = [] {
    std::array<AsciiTable, 8> made;
    for (unsigned i = 0; i < made.size(); ++i) {
      made[i] =
          make_ascii_table({(i & 4) != 0 ? WordRule::kWhitespace : WordRule::kUnicode, (i & 1) != 0, (i & 2) != 0});
    }
    return made;
  }();
  const unsigned whitespace = options.rule == WordRule::kWhitespace;
  return tables[whitespace << 2 | unsigned{options.turkish} << 1 | unsigned{options.lowercase}].data();
}

// Lower case makes a character at most twice as long (the Turkish I; else 2 bytes to 3), so every word of a text fits.
std::size_t lower_bytes(std::string_view text) { return 2 * text.size() + 4; }

char* room_for(std::string_view text, std::string& buffer) {
  const std::size_t needed = lower_bytes(text);
  if (buffer.size() < needed) buffer.resize(needed);
  return buffer.data();
}

std::string_view between(const char* begin, const char* end) { return {begin, static_cast<std::size_t>(end - begin)}; }

unsigned char byte_at(const char* p) { return static_cast<unsigned char>(*p); }

}  // namespace

std::string lower_case_of(std::string_view text, bool turkish) {
  std::string lowered(lower_bytes(text), '\0');
  char* out = lowered.data();
  for (const char* at = text.data(); at != text.data() + text.size();) {
    out = encode_utf8(lower_of(decode_utf8(at), turkish), out);
  }
  lowered.resize(static_cast<std::size_t>(out - lowered.data()));
  return lowered;
}

WordReader::WordReader(std::string_view text, const WordOptions& options, std::string& buffer)
    : at_(text.data()),
      end_(text.data() + text.size()),
      out_(room_for(text, buffer)),
      ascii_(ascii_table(options)),
      options_(options) {}

bool WordReader::next(std::string_view& word) {
  return options_.rule == WordRule::kUnicode ? next_unicode(word) : next_whitespace(word);
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
    while (at_ != end_ && byte_at(at_) < kBeyondAscii && (folded = ascii_[byte_at(at_)]) < kByTables) {
      previous = *at_ <= '9' ? CharClass::kNumber : CharClass::kLetter;
      *out++ = static_cast<char>(folded);
      ++at_;
    }
    if (at_ == end_) break;
    if (byte_at(at_) < kBeyondAscii && *at_ != kApostrophe && ascii_[byte_at(at_)] == kBreak) break;
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

// One step through a run of CJK characters: the n-gram of the next size that begins at at_. Without one it moves on to
// the next character and returns false, but for a run that is shorter than every size: that is a word by itself.
bool WordReader::take_cjk(std::string_view& word) {
  const char* const first = at_;
  const char* second = nullptr;
  char* out = out_;
  unsigned n = 0;
  do {
    out = take_cjk_unit(out);
    if (++n == 1) second = at_;
    if (n <= cjk_done_ || (options_.cjk_sizes >> (n - 1) & 1) == 0) continue;
    word = between(out_, out);
    const bool largest = options_.cjk_sizes >> n == 0;
    cjk_done_ = largest ? 0 : n;
    at_ = largest ? second : first;
    if (largest) in_cjk_run_ = cjk_follows();
    return true;
  } while (options_.cjk_sizes >> n != 0 && cjk_follows());
  if (!in_cjk_run_ && cjk_done_ == 0) {
    word = between(out_, out);
    return true;
  }
  at_ = second;
  cjk_done_ = 0;
  in_cjk_run_ = cjk_follows();
  return false;
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

bool WordReader::cjk_follows() const {
  const char* p = at_;
  return p != end_ && char_record(decode_utf8(p)).kind == CharClass::kCjk;
}

char* WordReader::put(char32_t c, char* out) const {
  return encode_utf8(options_.lowercase ? lower_of(c, options_.turkish) : c, out);
}

bool WordReader::next_whitespace(std::string_view& word) {
  char* out = out_;
  while (at_ != end_) {
    bool space;
    if (byte_at(at_) < kBeyondAscii && ascii_[byte_at(at_)] != kByTables) {
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
