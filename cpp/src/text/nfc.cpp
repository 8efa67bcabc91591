#include "text/nfc.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "text/hangul.h"
#include "text/wordpiece_chars.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

struct Composition {
  char32_t first, second, composed;
};

#include "composition_tables.inc"

bool is_inert(char32_t c) {
  return (kInert[std::size_t{kInertBlocks[c >> 8]} << 5 | (c & 0xFF) >> 3] >> (c & 7) & 1) != 0;
}

// Bytes of a run of characters below U+0300, all of which are inert.
std::size_t certain_bytes(const char* begin, const char* end) {
  const char* p = begin;
  while (p != end) {
    std::uint64_t eight;
    if (end - p >= 8 && (std::memcpy(&eight, p, 8), (eight & 0x8080808080808080u) == 0)) {
      p += 8;
      continue;
    }
    const auto byte = static_cast<unsigned char>(*p);
    if (byte >= 0xCC) break;
    p += byte < 0x80 ? 1 : 2;
  }
  return static_cast<std::size_t>(p - begin);
}

// The character that two compose to, or 0.
char32_t composed(char32_t first, char32_t second) {
  if (const char32_t syllable = hangul::compose(first, second); syllable != 0) return syllable;
  const std::pair key{first, second};
  const auto* const found = std::lower_bound(
      std::begin(kCompositions), std::end(kCompositions), key,
      [](const Composition& entry, const auto& wanted) { return std::pair{entry.first, entry.second} < wanted; });
  const bool equal = found != std::end(kCompositions) && std::pair{found->first, found->second} == key;
  return equal ? found->composed : 0;
}

}  // namespace

// Nothing composes or moves across the front of an inert character, so a run is such a character and those behind it
// that are not inert; an inert character without them stays as it is.
std::string_view NfcNormalizer::normalize(std::string_view text, bool spans) {
  changed_ = false;
  spans_ = spans;
  std::size_t kept = 0, last_begin = 0;  // bytes that are dealt with; the character before p
  const char* const end = text.data() + text.size();
  for (const char* p = text.data(); p != end;) {
    if (const std::size_t run = certain_bytes(p, end); run > 0) {
      p += run;
      last_begin = static_cast<std::size_t>(p - text.data()) - (static_cast<unsigned char>(p[-1]) < 0x80 ? 1 : 2);
      continue;
    }
    const auto at = static_cast<std::size_t>(p - text.data());
    if (is_inert(decode_utf8(p))) {
      last_begin = at;
      continue;
    }
    const char* run_end = p;
    for (const char* next = p; next != end && !is_inert(decode_utf8(next));) run_end = next;
    if (!changed_) {
      out_.clear();
      places_.clear();
      changed_ = true;
    }
    last_begin = std::max(last_begin, kept);
    keep(text, kept, last_begin);
    kept = static_cast<std::size_t>(run_end - text.data());
    compose(text, last_begin, kept);
    p = run_end;
    last_begin = kept;
  }
  if (!changed_) return text;
  keep(text, kept, text.size());
  return out_;
}

void NfcNormalizer::keep(std::string_view text, std::size_t begin, std::size_t end) {
  out_.append(text.substr(begin, end - begin));
  if (!spans_) return;
  for (const char* p = text.data() + begin; p != text.data() + end;) {
    const auto first = static_cast<std::uint32_t>(p - text.data());
    decode_utf8(p);
    const auto last = static_cast<std::uint32_t>(p - text.data());
    places_.insert(places_.end(), last - first, {first, last});
  }
}

void NfcNormalizer::compose(std::string_view text, std::size_t begin, std::size_t end) {
  sources_.clear();
  n_used_ = 0;
  for (const char* p = text.data() + begin; p != text.data() + end;) {
    const auto first = static_cast<std::uint32_t>(p - text.data());
    decode_utf8(p);
    sources_.push_back({first, static_cast<std::uint32_t>(p - text.data())});
  }
  decompose(text.substr(begin, end - begin));
  recompose();
  for (const Part& part : composed_) put(part);
}

// The full canonical decomposition in canonical order.
void NfcNormalizer::decompose(std::string_view run) {
  parts_.clear();
  for (const char* p = run.data(); p != run.data() + run.size();) {
    const char32_t c = decode_utf8(p);
    const std::size_t first = parts_.size();
    const auto add = [&](char32_t part) {
      parts_.push_back({part, wordpiece_char(part).combining, parts_.size() == first ? 0 : 1});
    };
    if (hangul::is_syllable(c)) {
      const auto [lead, vowel, tail] = hangul::jamo_of(c);
      add(lead);
      add(vowel);
      if (tail != 0) add(tail);
      continue;
    }
    const auto parts = parts_of(wordpiece_char(c));
    if (parts.empty()) add(c);
    for (const char32_t part : parts) add(part);
  }
  for (auto begin = parts_.begin(); begin != parts_.end();) {
    const auto marks = std::find_if(begin, parts_.end(), [](const Part& part) { return part.combining != 0; });
    const auto end = std::find_if(marks, parts_.end(), [](const Part& part) { return part.combining == 0; });
    std::stable_sort(marks, end, [](const Part& a, const Part& b) { return a.combining < b.combining; });
    begin = end;
  }
}

// A part composes with the last starter if no part between them has its combining class or a higher one.
void NfcNormalizer::recompose() {
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  composed_.clear();
  std::size_t starter = kNone;
  for (const Part& part : parts_) {
    const bool adjacent = starter != kNone && composed_.size() == starter + 1;
    const bool blocked = starter == kNone || (!adjacent && composed_.back().combining >= part.combining);
    const char32_t both = blocked ? 0 : composed(composed_[starter].c, part.c);
    if (both != 0) {
      composed_[starter].c = both;
      composed_[starter].change += part.change - 1;
      continue;
    }
    if (part.combining == 0) starter = composed_.size();
    composed_.push_back(part);
  }
}

// The n-th part that stands for characters of the text has the place of the next one that is not used up, whatever it
// was before the marks were sorted.
void NfcNormalizer::put(const Part& part) {
  char bytes[4];
  const auto size = static_cast<std::size_t>(encode_utf8(part.c, bytes) - bytes);
  out_.append(bytes, size);
  const bool added = part.change > 0;
  const std::size_t last = sources_.size() - 1;
  const std::size_t from = std::min(added && n_used_ > 0 ? n_used_ - 1 : n_used_, last);
  if (spans_) places_.insert(places_.end(), size, sources_[from]);
  if (!added) n_used_ += static_cast<std::size_t>(1 - part.change);
}

}  // namespace twotower
