// Means of bags and their gradient. Knows no optimiser.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "twotower/bag.h"
#include "twotower/error.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

constexpr std::size_t kBagsAtOnce = 32;
constexpr std::size_t kRowsAtOnce = 256;

// What a bag divides by: the sum of its weights, in double and in the order of its terms.
double total_weight(const BagView& bags, std::size_t bag) {
  const std::int64_t begin = bags.offsets[bag], end = bags.offsets[bag + 1];
  if (bags.weights == nullptr) return static_cast<double>(end - begin);
  double total = 0.0;
  for (std::int64_t t = begin; t < end; ++t) total += bags.weights[t];
  return total;
}

template <class T, class Sum>
void means_of(Sum sum, const T* table, std::size_t dim, const BagView& bags, unsigned threads, float* means) {
  const std::size_t n_blocks = (bags.n_bags + kBagsAtOnce - 1) / kBagsAtOnce;
  parallel_for(n_blocks, threads, [&](std::size_t block) {
    const std::size_t end = std::min(bags.n_bags, (block + 1) * kBagsAtOnce);
    for (std::size_t b = block * kBagsAtOnce; b < end; ++b) {
      const auto begin = static_cast<std::size_t>(bags.offsets[b]);
      const std::size_t n = static_cast<std::size_t>(bags.offsets[b + 1]) - begin;
      float* mean = means + b * dim;
      const double total = total_weight(bags, b);
      if (!(total > 0.0)) {
        std::fill_n(mean, dim, 0.0f);
        continue;
      }
      sum(table, dim, bags.ids + begin, bags.weights == nullptr ? nullptr : bags.weights + begin, n, mean);
      const auto divisor = static_cast<float>(total);
      for (std::size_t d = 0; d < dim; ++d) mean[d] /= divisor;
    }
  });
}

// The same terms by row instead of by bag: row v has bags[starts[v]] up to bags[starts[v + 1]], in the order of terms.
struct Transposed {
  std::vector<std::size_t> starts;
  std::vector<std::int64_t> bags;
  std::vector<float> weights;
};

Transposed transpose(const BagView& bags, std::size_t n_rows) {
  Transposed by_row{std::vector<std::size_t>(n_rows + 2), std::vector<std::int64_t>(bags.n_terms),
                    std::vector<float>(bags.n_terms)};
  std::vector<std::size_t>& next = by_row.starts;  // one further on than `starts` until every term is in its place
  for (std::size_t t = 0; t < bags.n_terms; ++t) ++next[static_cast<std::size_t>(bags.ids[t]) + 2];
  for (std::size_t v = 2; v < next.size(); ++v) next[v] += next[v - 1];
  for (std::size_t b = 0; b < bags.n_bags; ++b) {
    const double total = total_weight(bags, b);
    const auto share = total > 0.0 ? static_cast<float>(1.0 / total) : 0.0f;
    for (auto t = static_cast<std::size_t>(bags.offsets[b]); t < static_cast<std::size_t>(bags.offsets[b + 1]); ++t) {
      const std::size_t at = next[static_cast<std::size_t>(bags.ids[t]) + 1]++;
      by_row.bags[at] = static_cast<std::int64_t>(b);
      by_row.weights[at] = bags.weights == nullptr ? share : bags.weights[t] * share;
    }
  }
  return by_row;
}

}  // namespace

void check_bags(const BagView& bags, std::size_t n_rows) {
  if (bags.offsets[0] != 0 || bags.offsets[bags.n_bags] != static_cast<std::int64_t>(bags.n_terms)) {
    throw InvalidInput("offsets must begin with 0 and end with the number of ids, " + std::to_string(bags.n_terms));
  }
  for (std::size_t b = 0; b < bags.n_bags; ++b) {
    if (bags.offsets[b] > bags.offsets[b + 1]) {
      throw InvalidInput("offsets fall after bag " + std::to_string(b) + ": they must never fall");
    }
  }
  for (std::size_t t = 0; t < bags.n_terms; ++t) {
    if (static_cast<std::uint64_t>(bags.ids[t]) >= n_rows) {
      throw InvalidInput("ids[" + std::to_string(t) + "] is " + std::to_string(bags.ids[t]) +
                         ": the table has rows 0 to " + std::to_string(n_rows) + " - 1");
    }
  }
  for (std::size_t t = 0; bags.weights != nullptr && t < bags.n_terms; ++t) {
    if (!(bags.weights[t] >= 0.0f) || !std::isfinite(bags.weights[t])) {
      throw InvalidInput("weights[" + std::to_string(t) + "] is " + std::to_string(bags.weights[t]) +
                         ": a weight is a finite number, 0 or more");
    }
  }
}

void bag_means(const float* table, std::size_t dim, const BagView& bags, unsigned threads, float* means) {
  means_of(kernels::active().bag.sum_float32, table, dim, bags, threads, means);
}

void bag_means(const std::uint16_t* table, std::size_t dim, const BagView& bags, unsigned threads, float* means) {
  means_of(kernels::active().bag.sum_bfloat16, table, dim, bags, threads, means);
}

void bag_gradient(const float* outer, std::size_t dim, const BagView& bags, std::size_t n_rows, unsigned threads,
                  float* gradient) {
  const Transposed by_row = transpose(bags, n_rows);
  const auto sum = kernels::active().bag.sum_float32;
  parallel_for((n_rows + kRowsAtOnce - 1) / kRowsAtOnce, threads, [&](std::size_t block) {
    const std::size_t end = std::min(n_rows, (block + 1) * kRowsAtOnce);
    for (std::size_t v = block * kRowsAtOnce; v < end; ++v) {
      const std::size_t begin = by_row.starts[v];
      sum(outer, dim, by_row.bags.data() + begin, by_row.weights.data() + begin, by_row.starts[v + 1] - begin,
          gradient + v * dim);
    }
  });
}

std::vector<std::int64_t> distinct_rows(const std::int64_t* ids, std::size_t n_terms, std::size_t n_rows,
                                        std::int64_t* places) {
  std::vector<std::int64_t> place(n_rows, -1);
  for (std::size_t t = 0; t < n_terms; ++t) {
    if (static_cast<std::uint64_t>(ids[t]) >= n_rows) {
      throw InvalidInput("id " + std::to_string(ids[t]) + " names no row of " + std::to_string(n_rows));
    }
    place[static_cast<std::size_t>(ids[t])] = 0;
  }
  std::vector<std::int64_t> rows;
  for (std::size_t v = 0; v < n_rows; ++v) {
    if (place[v] < 0) continue;
    place[v] = static_cast<std::int64_t>(rows.size());
    rows.push_back(static_cast<std::int64_t>(v));
  }
  for (std::size_t t = 0; t < n_terms; ++t) places[t] = place[static_cast<std::size_t>(ids[t])];
  return rows;
}

}  // namespace twotower
