// Runs of words as hashed n-grams (Chen et al., Reading Wikipedia to Answer Open-Domain Questions, ACL 2017,
// sect. 3.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "twotower/inverted_index.h"

namespace twotower {

/// MurmurHash3 for 32-bit machines (Appleby, 2011; public domain), of bytes and a seed. O(bytes).
std::uint32_t murmur3_32(std::string_view bytes, std::uint32_t seed = 0) noexcept;

/// Bins of the n-grams of many texts, text after text.
struct HashedNgramBatch {
  std::vector<std::int32_t> bins;
  std::vector<std::int64_t> offsets;  ///< [texts + 1]: text i has bins[offsets[i], offsets[i + 1])
};

/// The n-grams of 1 to `most` words that hold no kUnknownTerm, by their first word, short ones first. The bin of one is
/// murmur3_32 of its words with one space between, modulo `n_bins`.
///
/// Word i is words[word_offsets[i], word_offsets[i + 1]). O(n-grams * bytes of one). REQUIRES 1 <= n_bins < 2^31,
/// most >= 1, and texts checked against the number of words. THROWS InvalidInput for word_offsets that do not rise from
/// 0 to the size of `words`; Interrupted.
HashedNgramBatch hash_ngrams(const TermLists& texts, std::string_view words, std::span<const std::int64_t> word_offsets,
                             std::size_t most, std::uint32_t n_bins);

}  // namespace twotower
