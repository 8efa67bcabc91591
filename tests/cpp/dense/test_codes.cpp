// coded_top_k against a plain float64 sort, the intervals behind it, and the rotation: where codes are good and where
// they mislead.
#include <doctest/doctest.h>

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "dense/codes/rotation.h"
#include "twotower/dense_codes.h"

using namespace twotower;

namespace {

struct Case {
  std::size_t n_docs, dim, n_queries;
  std::vector<float> vectors, queries, mean;
  VectorsView view() const { return {vectors.data(), n_docs, dim}; }
};

Case random_case(std::size_t n_docs, std::size_t dim, std::size_t n_queries, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  Case c{n_docs,
         dim,
         n_queries,
         std::vector<float>(n_docs * dim),
         std::vector<float>(n_queries * dim),
         std::vector<float>(dim)};
  for (float& value : c.vectors) value = normal(generator);
  for (float& value : c.queries) value = normal(generator);
  for (float& value : c.mean) value = 0.1f * normal(generator);
  return c;
}

struct Codes {
  std::vector<std::uint8_t> high, low;
  std::vector<float> scales, coarse, fine, mean;
  explicit Codes(const Case& c)
      : high(plane_bytes(c.n_docs, c.dim)),
        low(high.size()),
        scales(c.n_docs),
        coarse(c.n_docs),
        fine(c.n_docs),
        mean(c.mean) {
    make_codes(c.view(), mean.data(), 2, high.data(), low.data(), scales.data(), coarse.data(), fine.data());
  }
  CodesView view() const { return {high.data(), low.data(), scales.data(), coarse.data(), fine.data(), mean.data()}; }
};

double sum_of(const float* a, const float* b, std::size_t n) {
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

void check_intervals(const Case& c, const Codes& codes) {
  std::vector<double> lower(c.n_queries * c.n_docs), upper(lower.size());
  for (const bool coarse : {true, false}) {
    score_intervals(c.view(), codes.view(), c.queries.data(), c.n_queries, coarse, lower.data(), upper.data());
    for (std::size_t i = 0; i < lower.size(); ++i) {
      const double sum = sum_of(&c.queries[i / c.n_docs * c.dim], c.view().row(i % c.n_docs), c.dim);
      REQUIRE(lower[i] <= sum);
      REQUIRE(sum <= upper[i]);
    }
  }
}

void check(const Case& c, std::size_t k, unsigned threads) {
  const Codes codes(c);
  std::vector<float> scores(c.n_queries * k);
  std::vector<std::int64_t> docs(c.n_queries * k);
  coded_top_k(c.view(), codes.view(), nullptr, c.queries.data(), c.n_queries, k, threads, scores.data(), docs.data());
  for (std::size_t q = 0; q < c.n_queries; ++q) {
    std::vector<std::pair<float, std::int64_t>> all;
    for (std::size_t n = 0; n < c.n_docs; ++n) {
      all.emplace_back(-static_cast<float>(sum_of(&c.queries[q * c.dim], c.view().row(n), c.dim)),
                       static_cast<std::int64_t>(n));
    }
    std::sort(all.begin(), all.end());
    for (std::size_t i = 0; i < k; ++i) {
      const bool real = i < c.n_docs;
      REQUIRE(docs[q * k + i] == (real ? all[i].second : -1));
      REQUIRE(scores[q * k + i] == (real ? -all[i].first : -std::numeric_limits<float>::infinity()));
    }
  }
  check_intervals(c, codes);
}

}  // namespace

TEST_CASE("coded_top_k: odd sizes, single queries and panels, one and two threads") {
  for (const std::size_t dim : {1u, 3u, 8u, 17u, 96u}) {
    for (const std::size_t n_queries : {1u, 3u, 4u, 9u, 33u}) {
      for (const std::size_t n_docs : {0u, 1u, 5u, 16u, 300u}) {
        const Case c = random_case(n_docs, dim, n_queries, static_cast<unsigned>(dim + n_docs));
        for (const std::size_t k : {0u, 1u, 7u, 310u}) check(c, k, n_queries % 2 + 1);
      }
    }
  }
  check(random_case(20000, 5, 3, 1), 10, 2);  // several ranges
}

TEST_CASE("coded_top_k: ties, near ties, scales from denormal to overflow, cancellation") {
  for (const std::size_t n_queries : {1u, 9u}) {
    Case c = random_case(2000, 16, n_queries, 2);
    for (std::size_t n = 0; n < c.n_docs; n += 2) std::copy_n(c.view().row(0), c.dim, c.vectors.data() + n * c.dim);
    check(c, 50, 1);
    std::mt19937 generator(3);
    for (float& value : c.vectors) value = 1.0f + static_cast<float>(generator() % 4) * 0x1p-23f;
    check(c, 50, 2);
    for (const float scale : {1e20f, 5e37f, 1e-20f, 1e-38f, 1e-44f}) {
      Case scaled = random_case(500, 9, n_queries, 4);
      for (std::size_t i = 0; i < scaled.vectors.size(); i += 2) scaled.vectors[i] *= scale;
      for (float& value : scaled.queries) value *= scale > 1.0f ? 3.0f : scale;
      check(scaled, 20, 1);
    }
    Case cancel = random_case(3000, 32, n_queries, 10);
    for (std::size_t n = 0; n < cancel.n_docs; ++n) {
      float* x = cancel.vectors.data() + n * cancel.dim;
      for (std::size_t d = 0; d < 16; ++d) x[d + 16] = -x[d] + 1e-6f * x[d + 16];
    }
    for (std::size_t q = 0; q < n_queries; ++q) std::copy_n(&cancel.queries[q * 32], 16, &cancel.queries[q * 32 + 16]);
    check(cancel, 10, 1);
    Case zero = random_case(500, 8, n_queries, 6);
    std::fill(zero.queries.begin(), zero.queries.end(), 0.0f);
    check(zero, 20, 1);
  }
}

TEST_CASE("coded_top_k: another rounding mode of the caller changes nothing") {
  const Case c = random_case(500, 33, 9, 7);
  const Codes codes(c);
  std::vector<float> scores(9 * 5), again(9 * 5);
  std::vector<std::int64_t> docs(9 * 5), same(9 * 5);
  coded_top_k(c.view(), codes.view(), nullptr, c.queries.data(), 9, 5, 1, scores.data(), docs.data());
  std::fesetround(FE_UPWARD);
  coded_top_k(c.view(), codes.view(), nullptr, c.queries.data(), 9, 5, 1, again.data(), same.data());
  CHECK(std::fegetround() == FE_UPWARD);
  std::fesetround(FE_TONEAREST);
  CHECK(scores == again);
  CHECK(docs == same);
}

TEST_CASE("Rotation: keeps inner products far better than the proof asks") {
  for (const std::size_t dim : {1u, 2u, 3u, 5u, 8u, 48u, 384u, 768u, 1000u, 4097u}) {
    std::mt19937_64 generator(dim);
    std::normal_distribution<double> normal;
    std::vector<double> a(dim), b(dim);
    for (double& value : a) value = normal(generator);
    for (double& value : b) value = normal(generator);
    const auto product = [&](const auto& x, const auto& y) {
      long double sum = 0.0;
      for (std::size_t d = 0; d < dim; ++d) sum += static_cast<long double>(x[d]) * y[d];
      return sum;
    };
    const long double before = product(a, b), norms = std::sqrt(product(a, a) * product(b, b));
    const Rotation rotation(dim);
    rotation.apply(a.data());
    rotation.apply(b.data());
    CHECK(std::abs(product(a, b) - before) <= 0x1p-44L * norms);
  }
}
