// Hangul syllables and their jamo (Unicode, section 3.12): computed, never stored in tables.
#pragma once

namespace twotower::hangul {

inline constexpr char32_t kFirstSyllable = 0xAC00, kLastSyllable = 0xD7A3;
inline constexpr char32_t kFirstLead = 0x1100, kFirstVowel = 0x1161, kBeforeTails = 0x11A7;
inline constexpr char32_t kLeads = 19, kVowels = 21, kTails = 28;  // kTails counts "no tail"

/// The jamo of a syllable; the last one is 0 where there are two.
struct Jamo {
  char32_t lead, vowel, tail;
};

constexpr bool is_syllable(char32_t c) noexcept { return c >= kFirstSyllable && c <= kLastSyllable; }

/// REQUIRES is_syllable(syllable).
constexpr Jamo jamo_of(char32_t syllable) noexcept {
  const char32_t index = syllable - kFirstSyllable, tail = index % kTails;
  return {kFirstLead + index / (kVowels * kTails), kFirstVowel + index / kTails % kVowels,
          tail == 0 ? 0 : kBeforeTails + tail};
}

/// The syllable of a lead and a vowel, or of a syllable of two jamo and a tail; 0 if they make none.
constexpr char32_t compose(char32_t first, char32_t second) noexcept {
  if (first - kFirstLead < kLeads && second - kFirstVowel < kVowels) {
    return kFirstSyllable + ((first - kFirstLead) * kVowels + (second - kFirstVowel)) * kTails;
  }
  const bool open = is_syllable(first) && (first - kFirstSyllable) % kTails == 0;
  return open && second > kBeforeTails && second - kBeforeTails < kTails ? first + (second - kBeforeTails) : 0;
}

}  // namespace twotower::hangul
