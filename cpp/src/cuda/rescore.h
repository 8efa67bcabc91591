// The scores of what the slots hold, by the definition of twotower/dense.h: float64, dimensions from 0 up, rounded
// once. One thread a document. Keys are written behind those of the best.
#pragma once

#include <cstdint>

#include "cuda/window.h"

namespace twotower::cuda {

inline constexpr int kRescoreThreads = 128;

template <Storage kStorage>
struct Rescore {
  static constexpr int kThreads = kRescoreThreads;
  static constexpr int kMinBlocks = 1;
  static constexpr std::uint32_t kSharedBytes = 0;

  Window window;
  Queries queries;
  Found found;
  std::uint32_t blocks_of_query;

  template <class Block>
  TWOTOWER_DEVICE void operator()(Block& block) const {
    const std::uint32_t q = block.x() / blocks_of_query, first = block.x() % blocks_of_query * kThreads;
    const std::uint32_t n = found.counts[q];
    const std::uint32_t* docs = found.docs + static_cast<std::uint64_t>(q) * found.capacity;
    std::uint64_t* keys = found.keys + static_cast<std::uint64_t>(q) * found.room + found.k;
    block.each([&](int t) {
      for (std::uint32_t i = first + static_cast<std::uint32_t>(t); i < n; i += blocks_of_query * kThreads) {
        keys[i] = key_of(exact_score(q, docs[i]), window.first_doc + docs[i]);
      }
    });
  }

 private:
  static constexpr std::uint32_t kOfWord = 4 / element_bytes(kStorage), kOfGranule = 4 * kOfWord;
  static constexpr int kAtOnce = 8;  ///< granules that are asked for before the first is used

  struct Sums {
    double main = 0.0;  // of products, or of squared differences
    double of_query = 0.0;
    double of_row = 0.0;
  };

  TWOTOWER_DEVICE float exact_score(std::uint32_t q, std::uint32_t doc) const {
    const Sums sums = add_up(q, doc);
    if (window.metric == Metric::kL2) return 0.0f - static_cast<float>(sums.main);
    if (window.metric == Metric::kInnerProduct) return static_cast<float>(sums.main);
    const double roots = ::sqrt(sums.of_query) * ::sqrt(sums.of_row);
    return roots == 0.0 ? 0.0f : static_cast<float>(sums.main / roots);
  }

  TWOTOWER_DEVICE Sums add_up(std::uint32_t q, std::uint32_t doc) const {
    const auto* row = reinterpret_cast<const Words4*>(window.rows + static_cast<std::uint64_t>(doc) * window.pitch);
    const float* query = queries.exact + static_cast<std::uint64_t>(q) * window.dim;
    const float stored = kStorage == Storage::kInt8 ? window.stored_scales[doc] : 1.0f;
    Sums sums;
    std::uint32_t d = 0;
    for (; d + kAtOnce * kOfGranule <= window.dim; d += kAtOnce * kOfGranule, row += kAtOnce) {
      Words4 words[kAtOnce];
      TWOTOWER_UNROLL
      for (int i = 0; i < kAtOnce; ++i) words[i] = row[i];
      TWOTOWER_UNROLL
      for (int i = 0; i < kAtOnce; ++i) {
        add_granule(sums, query + d + static_cast<std::uint32_t>(i) * kOfGranule, words[i], kOfGranule, stored);
      }
    }
    for (; d < window.dim; d += kOfGranule, ++row) {
      const std::uint32_t left = window.dim - d;
      add_granule(sums, query + d, *row, left < kOfGranule ? left : kOfGranule, stored);
    }
    return sums;
  }

  TWOTOWER_DEVICE void add_granule(Sums& sums, const float* query, const Words4& words, std::uint32_t n,
                                   float stored) const {
    TWOTOWER_UNROLL
    for (std::uint32_t e = 0; e < kOfGranule; ++e) {
      if (e >= n) break;
      const float x = element_of_word(kStorage, words.word[e / kOfWord], e % kOfWord) * stored;
      add(sums, static_cast<double>(query[e]), static_cast<double>(x));
    }
  }

  TWOTOWER_DEVICE void add(Sums& sums, double q, double x) const {
    if (window.metric == Metric::kL2) {
      const double difference = q - x;
      sums.main += difference * difference;
      return;
    }
    sums.main += q * x;
    if (window.metric != Metric::kCosine) return;
    sums.of_query += q * q;
    sums.of_row += x * x;
  }
};

}  // namespace twotower::cuda
