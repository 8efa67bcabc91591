#include "twotower/hashed_ngrams.h"

#include <algorithm>
#include <bit>
#include <string>

#include "twotower/error.h"
#include "twotower/interrupt.h"

namespace twotower {
namespace {

constexpr std::uint32_t kFirst = 0xcc9e2d51, kSecond = 0x1b873593;

// The i-th byte as a number: chars may be signed.
std::uint32_t byte_at(std::string_view bytes, std::size_t i) noexcept { return static_cast<unsigned char>(bytes[i]); }

std::uint32_t scrambled(std::uint32_t block) noexcept { return std::rotl(block * kFirst, 15) * kSecond; }

}  // namespace

std::uint32_t murmur3_32(std::string_view bytes, std::uint32_t seed) noexcept {
  std::uint32_t hash = seed;
  const std::size_t n_whole = bytes.size() / 4 * 4;
  for (std::size_t i = 0; i < n_whole; i += 4) {
    const std::uint32_t block =
        byte_at(bytes, i) | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2) << 16 | byte_at(bytes, i + 3) << 24;
    hash = std::rotl(hash ^ scrambled(block), 13) * 5 + 0xe6546b64;
  }
  std::uint32_t rest = 0;
  for (std::size_t i = bytes.size(); i-- > n_whole;) rest = rest << 8 | byte_at(bytes, i);
  hash ^= scrambled(rest);  // of no byte: 0
  hash ^= static_cast<std::uint32_t>(bytes.size());
  hash = (hash ^ hash >> 16) * 0x85ebca6b;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35;
  return hash ^ hash >> 16;
}

HashedNgramBatch hash_ngrams(const TermLists& texts, std::string_view words, std::span<const std::int64_t> word_offsets,
                             std::size_t most, std::uint32_t n_bins) {
  if (word_offsets.size() != texts.n_terms() + 1 || word_offsets.front() != 0 ||
      word_offsets.back() != static_cast<std::int64_t>(words.size()) || !std::ranges::is_sorted(word_offsets)) {
    throw InvalidInput("the offsets of words must rise from 0 to the number of their bytes");
  }
  const auto word = [&](TermId id) {
    const auto first = static_cast<std::size_t>(word_offsets[static_cast<std::size_t>(id)]);
    return words.substr(first, static_cast<std::size_t>(word_offsets[static_cast<std::size_t>(id) + 1]) - first);
  };
  HashedNgramBatch batch;
  batch.offsets.push_back(0);
  std::string ngram;
  for (std::size_t t = 0; t < texts.size(); ++t) {
    if (t % 4096 == 0) check_interrupt();
    const auto ids = texts[t];
    for (std::size_t first = 0; first < ids.size(); ++first) {
      ngram.clear();
      for (std::size_t last = first; last < std::min(ids.size(), first + most) && ids[last] != kUnknownTerm; ++last) {
        if (last != first) ngram += ' ';
        ngram += word(ids[last]);
        batch.bins.push_back(static_cast<std::int32_t>(murmur3_32(ngram) % n_bins));
      }
    }
    batch.offsets.push_back(static_cast<std::int64_t>(batch.bins.size()));
  }
  return batch;
}

}  // namespace twotower
