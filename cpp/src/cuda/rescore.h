// The scores of what was kept, by the definition of twotower/dense.h: float64, dimensions from 0 up, rounded once. One
// thread a document; keys replace rows.
#pragma once

#include <cstdint>

#include "cuda/window.h"

namespace twotower::cuda {

struct Rescore {
  static constexpr int kThreads = 128;
  static constexpr int kMinBlocks = 1;
  static constexpr std::uint32_t kSharedBytes = 0;

  Window window;
  Queries queries;
  Found found;
  std::uint32_t blocks_of_query;

  template <class Block>
  TWOTOWER_DEVICE void operator()(Block& block) const {
    const std::uint32_t q = block.x() / blocks_of_query, first = block.x() % blocks_of_query * kThreads;
    const std::uint32_t n = found.n_new[q];
    std::uint64_t* keys = found.keys + static_cast<std::uint64_t>(q) * found.room + found.k;
    block.each([&](int t) {
      for (std::uint32_t i = first + static_cast<std::uint32_t>(t); i < n; i += blocks_of_query * kThreads) {
        const auto doc = static_cast<std::uint32_t>(keys[i]);
        keys[i] = key_of(exact_score(q, doc), window.first_doc + doc);
      }
    });
  }

 private:
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
    const float stored = window.storage == Storage::kInt8 ? window.stored_scales[doc] : 1.0f;
    const std::uint32_t of_word = 4 / element_bytes(window.storage);
    const std::uint64_t query = static_cast<std::uint64_t>(q) * window.dim;
    Sums sums;
    std::uint32_t d = 0;
    for (std::uint32_t granule = 0; d < window.dim; ++granule) {
      const Words4 words = row[granule];
      TWOTOWER_UNROLL
      for (int w = 0; w < 4; ++w) {
        for (std::uint32_t e = 0; e < of_word && d < window.dim; ++e, ++d) {
          const float x = element_of_word(window.storage, words.word[w], e) * stored;
          add(sums, static_cast<double>(element_at(queries.storage, queries.given, query + d)), static_cast<double>(x));
        }
      }
    }
    return sums;
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
