// Kernels that make what the test needs: limits of rows, and queries rounded to the form of the rows with their limits.
#pragma once

#include <cstdint>

#include "cuda/block_sums.h"
#include "cuda/tile_shape.h"
#include "cuda/window.h"

namespace twotower::cuda {

/// One thread a row, one block a tile: limits. `odd` becomes the first row that is not finite.
struct PrepareRows {
  static constexpr int kThreads = kTileDocs;
  static constexpr int kMinBlocks = 1;
  static constexpr std::uint32_t kSharedBytes = kThreads * 8;

  Window window;
  std::uint32_t* odd;

  template <class Block>
  TWOTOWER_DEVICE void operator()(Block& block) const {
    typename Block::template PerThread<double> norm;
    block.each([&](int t) {
      const std::uint32_t doc = block.x() * kThreads + static_cast<std::uint32_t>(t);
      norm[t] = 0.0;
      if (doc >= window.n_docs) return;
      const float stored = window.storage == Storage::kInt8 ? window.stored_scales[doc] : 1.0f;
      const RowLimits limits = row_limits(window.metric, squares(doc, stored), stored);
      window.scale[doc] = limits.scale;
      window.norm[doc] = limits.norm;
      window.offset[doc] = limits.offset;
      if (limits.norm != limits.norm) block.least(odd, window.first_doc + doc);
      norm[t] = static_cast<double>(limits.norm == limits.norm ? limits.norm : infinity());
    });
    const double greatest = block_greatest<kThreads>(block, norm);
    block.each([&](int t) {
      if (t == 0) window.tile_norm[block.x()] = static_cast<float>(greatest);
    });
  }

 private:
  TWOTOWER_DEVICE double squares(std::uint32_t doc, float stored) const {
    const auto* row = reinterpret_cast<const Words4*>(window.rows + static_cast<std::uint64_t>(doc) * window.pitch);
    const std::uint32_t of_word = 4 / element_bytes(window.storage);
    double sum = 0.0;
    for (std::uint32_t granule = 0; granule < window.pitch / 16; ++granule) {
      const Words4 words = row[granule];
      TWOTOWER_UNROLL
      for (int w = 0; w < 4; ++w) {
        for (std::uint32_t e = 0; e < of_word; ++e) {
          const double x = static_cast<double>(element_of_word(window.storage, words.word[w], e) * stored);
          sum += x * x;
        }
      }
    }
    return sum;
  }
};

/// One block a query: rounds it, tells how much that lost, and begins its search. Blocks behind the queries write the
/// zeros that fill the last tile up.
struct PrepareQueries {
  static constexpr int kThreads = 128;
  static constexpr int kMinBlocks = 1;
  static constexpr std::uint32_t kSharedBytes = kThreads * 8;

  Queries queries;
  Window window;
  Found found;

  template <class Block>
  TWOTOWER_DEVICE void operator()(Block& block) const {
    const std::uint32_t q = block.x();
    typename Block::template PerThread<double> part;
    block.each([&](int t) {
      part[t] = 0.0;
      for (std::uint32_t d = static_cast<std::uint32_t>(t); d < window.dim; d += kThreads) {
        const float given_value = given(q, d);
        const double value = static_cast<double>(given_value);
        part[t] += value * value;
        if (q < queries.n && queries.widened != nullptr)
          queries.widened[std::uint64_t{q} * window.dim + d] = given_value;
      }
    });
    const double squares = block_sum<kThreads>(block, part);
    block.each([&](int t) {
      part[t] = 0.0;
      for (std::uint32_t d = static_cast<std::uint32_t>(t); d < window.dim; d += kThreads) {
        const double value = static_cast<double>(magnitude(given(q, d)));
        if (value > part[t]) part[t] = value;
      }
    });
    const float unit = unit_for(static_cast<float>(block_greatest<kThreads>(block, part)));
    block.each([&](int t) { part[t] = round(q, static_cast<std::uint32_t>(t), unit); });
    const double lost = ::sqrt(block_sum<kThreads>(block, part)) * kUp;
    block.each([&](int t) {
      if (t != 0 || q >= queries.n) return;
      found.counts[q] = found.kept[q] = found.n_best[q] = 0;
      found.thresholds[q] = -infinity();
      queries.limits[q] = query_limits(window.storage, window.metric, window.dim, squares, lost, unit);
      if (!(squares - squares == 0.0)) block.least(queries.odd, q);
    });
  }

 private:
  TWOTOWER_DEVICE float given(std::uint32_t q, std::uint32_t d) const {
    return q < queries.n ? element_at(queries.storage, queries.given, std::uint64_t{q} * window.dim + d) : 0.0f;
  }

  // What the rounded numbers are to be multiplied with: a 127th of the greatest (int8), or the power of two that
  // leaves it in [1/2, 1] (float16, whose range is small), or 1.
  TWOTOWER_DEVICE float unit_for(float greatest) const {
    if (window.storage == Storage::kInt8) return greatest / 127.0f;
    if (window.storage != Storage::kFloat16 || !is_finite(greatest)) return 1.0f;
    const std::uint32_t exponent = bits_of(greatest) >> 23;
    return float_of((exponent < 1 ? 1u : exponent >= 253 ? 253u : exponent + 1) << 23);
  }

  // Writes every kThreads-th element of a query's row from `first` on, zeros behind D, and returns the sum of squares
  // of what was lost.
  TWOTOWER_DEVICE double round(std::uint32_t q, std::uint32_t first, float unit) const {
    unsigned char* row = queries.rows + static_cast<std::uint64_t>(q) * window.pitch;
    const std::uint32_t n = window.pitch / element_bytes(window.storage);
    double lost = 0.0;
    for (std::uint32_t d = first; d < n; d += kThreads) {
      const float value = d < window.dim ? given(q, d) : 0.0f;
      const double difference = static_cast<double>(value) - static_cast<double>(unit) * write(row, d, value, unit);
      lost += difference * difference;
    }
    return lost;
  }

  // Returns the number that was written.
  TWOTOWER_DEVICE double write(unsigned char* row, std::uint32_t d, float value, float unit) const {
    switch (window.storage) {
      case Storage::kBfloat16: {
        const std::uint16_t bits = to_bfloat16(value);
        reinterpret_cast<std::uint16_t*>(row)[d] = bits;
        return static_cast<double>(float_of(static_cast<std::uint32_t>(bits) << 16));
      }
      case Storage::kFloat16: {
        const float share = value / unit;
        const std::uint16_t bits = to_float16(share <= 1.0f ? (share >= -1.0f ? share : -1.0f) : 1.0f);
        reinterpret_cast<std::uint16_t*>(row)[d] = bits;
        return static_cast<double>(widen_float16(bits));
      }
      case Storage::kInt8: {
        const double code = unit == 0.0f ? 0.0 : static_cast<double>(value) / static_cast<double>(unit);
        const double nearest = ::rint(code < 127.0 ? (code > -127.0 ? code : -127.0) : 127.0);
        reinterpret_cast<std::int8_t*>(row)[d] = static_cast<std::int8_t>(nearest);
        return nearest;
      }
      default:
        reinterpret_cast<float*>(row)[d] = value;
        return static_cast<double>(value);
    }
  }
};

}  // namespace twotower::cuda
