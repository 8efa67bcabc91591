// What became of each distinct word: its term, dropped, or not known yet.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "twotower/term_table.h"

namespace twotower {

/// Not thread-safe by itself: lock `mutex` around every use. Word ids and term ids stay valid for its life.
class WordCache {
 public:
  static constexpr std::int32_t kDropped = -1;  // a stop word, or an empty stem
  static constexpr std::int32_t kPending = -2;  // waits for the stemmer

  std::mutex mutex;

  /// Id of a word; a new one starts as kPending.
  std::int32_t add_word(std::string_view word) {
    const std::int32_t id = words_.add(word);
    // A while, not an if: should memory run out between the two tables, the next word heals the gap.
    while (term_of_word_.size() < words_.size()) term_of_word_.push_back(kPending);
    return id;
  }

  std::string_view word(std::int32_t id) const { return words_.term(id); }

  /// Term id of a word, kDropped or kPending.
  std::int32_t term_of(std::int32_t word) const { return term_of_word_[static_cast<std::size_t>(word)]; }

  /// Settles a word; an empty term drops it.
  std::int32_t settle(std::int32_t word, std::string_view term) {
    const std::int32_t id = term.empty() ? kDropped : terms_.add(term);
    return term_of_word_[static_cast<std::size_t>(word)] = id;
  }

  std::string_view term(std::int32_t id) const { return terms_.term(id); }

  bool full() const { return words_.size() >= kMaxWords || words_.n_bytes() >= kMaxBytes; }

 private:
  static constexpr std::size_t kMaxWords = std::size_t{1} << 20;
  static constexpr std::size_t kMaxBytes = std::size_t{32} << 20;

  TermTable words_;
  TermTable terms_;
  std::vector<std::int32_t> term_of_word_;
};

}  // namespace twotower
