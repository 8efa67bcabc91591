// exact_top_k against a plain float64 sort, where it is easy and where float32 misleads. The kernels of one process are
// fixed, so other instruction sets run this through TWOTOWER_ISA (tests/python/index/test_flat.py).
#include <doctest/doctest.h>

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "dense/shared_floor.h"
#include "dense/top_k.h"
#include "kernels/dispatch.h"
#include "twotower/dense.h"

using namespace twotower;

namespace {

struct Case {
  std::size_t n_docs, dim, n_queries;
  std::vector<float> vectors, queries;
  VectorsView view() const { return {vectors.data(), n_docs, dim}; }
};

// The limits of a case's vectors, and the view that a search takes.
struct Searchable {
  explicit Searchable(const Case& c, unsigned threads = 1) : limits(3 * c.n_docs), squares(c.n_docs) {
    float* room = limits.data();
    view = {c.view(), Metric::kInnerProduct, {room, room + c.n_docs, room + 2 * c.n_docs, squares.data()}};
    doc_limits(view.vectors, view.metric, threads, view.limits);
  }
  std::vector<float> limits;
  std::vector<double> squares;
  DenseView view;
};

Case random_case(std::size_t n_docs, std::size_t dim, std::size_t n_queries, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  Case c{n_docs, dim, n_queries, std::vector<float>(n_docs * dim), std::vector<float>(n_queries * dim)};
  for (float& value : c.vectors) value = normal(generator);
  for (float& value : c.queries) value = normal(generator);
  return c;
}

float definition(const float* a, const float* b, std::size_t n) {
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return static_cast<float>(sum);
}

void check(const Case& c, std::size_t k, unsigned threads) {
  const Searchable index(c, threads);
  std::vector<float> scores(c.n_queries * k);
  std::vector<std::int64_t> docs(c.n_queries * k);
  exact_top_k(index.view, c.queries.data(), c.n_queries, k, threads, nullptr, scores.data(), docs.data());
  for (std::size_t q = 0; q < c.n_queries; ++q) {
    std::vector<std::pair<float, std::int64_t>> all;
    for (std::size_t n = 0; n < c.n_docs; ++n) {
      all.emplace_back(-definition(c.queries.data() + q * c.dim, c.view().row(n), c.dim), static_cast<std::int64_t>(n));
    }
    std::sort(all.begin(), all.end());
    for (std::size_t i = 0; i < k; ++i) {
      const bool real = i < c.n_docs;
      REQUIRE(docs[q * k + i] == (real ? all[i].second : -1));
      REQUIRE(scores[q * k + i] == (real ? -all[i].first : -std::numeric_limits<float>::infinity()));
    }
  }
}

}  // namespace

TEST_CASE("exact_top_k: odd sizes, single queries and panels, one and two threads") {
  for (const std::size_t dim : {1u, 3u, 8u, 17u, 33u}) {
    for (const std::size_t n_queries : {1u, 3u, 9u, 33u}) {
      for (const std::size_t n_docs : {0u, 1u, 5u, 300u}) {
        const Case c = random_case(n_docs, dim, n_queries, static_cast<unsigned>(dim + n_docs));
        for (const std::size_t k : {0u, 1u, 7u, 310u}) check(c, k, n_queries % 2 + 1);
      }
    }
  }
  check(random_case(20000, 5, 130, 1), 10, 2);  // several tiles and chunks
}

TEST_CASE("exact_top_k: ties by DocId, near ties, overflow, underflow and cancellation") {
  Case c = random_case(2000, 16, 12, 2);
  for (std::size_t n = 0; n < c.n_docs; n += 2) std::copy_n(c.view().row(0), c.dim, c.vectors.data() + n * c.dim);
  check(c, 50, 1);
  std::mt19937 generator(3);
  for (std::size_t n = 0; n < c.n_docs; ++n) {  // differ in the last bits only
    for (std::size_t d = 0; d < c.dim; ++d)
      c.vectors[n * c.dim + d] = 1.0f + static_cast<float>(generator() % 4) * 0x1p-23f;
  }
  check(c, 50, 2);
  for (const float scale : {1e20f, 1e38f, 1e-20f, 1e-38f, 1e-44f}) {
    Case scaled = random_case(3000, 9, 9, 4);
    for (std::size_t i = 0; i < scaled.vectors.size(); i += 2) scaled.vectors[i] *= scale;
    for (float& value : scaled.queries) value *= scale > 1.0f ? 1.0f : scale;
    check(scaled, 20, 1);
  }
  Case huge = random_case(3000, 8, 9, 5);  // float32 partial sums overflow, exact sums may not
  for (float& value : huge.vectors) value *= 5e37f;
  for (float& value : huge.queries) value *= 3.0f;
  check(huge, 20, 2);
  Case zero = random_case(500, 8, 9, 6);
  std::fill(zero.queries.begin(), zero.queries.end(), 0.0f);
  check(zero, 20, 1);
}

// Both cases fail at once if the error bound is dropped: they have several blocks of rows, and errors above the scores.
TEST_CASE("exact_top_k: float32 scores that are all noise, relative and absolute") {
  for (const std::size_t n_queries : {1u, 9u}) {
    Case c = random_case(8000, 32, n_queries, 10);  // large halves cancel, and only small remainders count
    for (std::size_t n = 0; n < c.n_docs; ++n) {
      float* x = c.vectors.data() + n * c.dim;
      for (std::size_t d = 0; d < 16; ++d) x[d + 16] = -x[d] + 1e-6f * x[d + 16];
    }
    for (std::size_t q = 0; q < n_queries; ++q) std::copy_n(&c.queries[q * 32], 16, &c.queries[q * 32 + 16]);
    check(c, 10, 1);
    Case tiny = random_case(8000, 32, n_queries, 11);  // products of about 2^-150: each rounds to 0 or to 2^-149
    for (float& value : tiny.vectors) value = std::fabs(value) * 0x1p-75f;
    for (float& value : tiny.queries) value = std::fabs(value) * 0x1p-75f;
    check(tiny, 10, 1);
  }
}

TEST_CASE("exact_top_k: another rounding mode of the caller changes nothing") {
  const Case c = random_case(500, 33, 9, 7);
  std::fesetround(FE_UPWARD);
  std::vector<float> scores(9 * 5);
  std::vector<std::int64_t> docs(9 * 5);
  const Searchable index(c);
  exact_top_k(index.view, c.queries.data(), 9, 5, 1, nullptr, scores.data(), docs.data());
  CHECK(std::fegetround() == FE_UPWARD);
  std::fesetround(FE_TONEAREST);
  for (std::size_t i = 0; i < docs.size(); ++i) {
    CHECK(scores[i] ==
          definition(c.queries.data() + i / 5 * c.dim, c.view().row(static_cast<std::size_t>(docs[i])), c.dim));
  }
}

TEST_CASE("norm_bounds: never below the norm, and NaN for a row that is not finite") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const float scale : {0.0f, 1e-45f, 1e-30f, 1e-12f, 1.0f, 1e19f, 1e38f}) {
    Case c = random_case(200, 13, 1, 8);
    for (float& value : c.vectors) value = std::clamp(value, -3.0f, 3.0f) * scale;
    std::vector<float> bounds(c.n_docs);
    norm_bounds(c.view(), 1, bounds.data());
    for (std::size_t n = 0; n < c.n_docs; ++n) {
      double sum = 0.0;
      for (std::size_t d = 0; d < c.dim; ++d) sum += std::pow(static_cast<double>(c.view().row(n)[d]), 2);
      CHECK(static_cast<double>(bounds[n]) >= std::sqrt(sum));
      CHECK(static_cast<double>(bounds[n]) <= std::sqrt(sum) * 1.001 + 1e-44 + (scale > 1e37f ? kInf : 0.0f));
    }
  }
  const std::vector<float> odd{1, kInf, 2, 2, -kInf, 1, std::numeric_limits<float>::quiet_NaN(), 0};
  std::vector<float> bounds(4);
  norm_bounds({odd.data(), 4, 2}, 1, bounds.data());
  CHECK(std::isnan(bounds[0]));
  CHECK(!std::isnan(bounds[1]));
  CHECK(std::isnan(bounds[2]));
  CHECK(std::isnan(bounds[3]));
}

TEST_CASE("exact_scores: the definition for each DocId, -infinity for padding") {
  const Case c = random_case(700, 19, 2, 9);
  std::vector<std::int64_t> docs(2 * 600);
  for (std::size_t i = 0; i < docs.size(); ++i) docs[i] = i % 7 == 0 ? -1 : static_cast<std::int64_t>(i * 31 % 700);
  std::vector<float> scores(docs.size());
  exact_scores(c.view(), c.queries.data(), 2, docs.data(), 600, 2, scores.data());
  for (std::size_t i = 0; i < docs.size(); ++i) {
    const float* query = c.queries.data() + i / 600 * c.dim;
    const float expected = docs[i] < 0 ? -std::numeric_limits<float>::infinity()
                                       : definition(query, c.view().row(static_cast<std::size_t>(docs[i])), c.dim);
    REQUIRE(scores[i] == expected);
  }
}

TEST_CASE("TopK: intervals that are wide, narrow or infinite, and equal scores, give the best by the definition") {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  std::mt19937 generator(3);
  for (const double width : {0.0, 1e-3, 0.3, kInfinite}) {
    for (const std::size_t k : {1u, 10u, 100u, 400u}) {
      Case c = random_case(600, 2, 1, 4);
      for (float& value : c.vectors) value = std::round(value * 8.0f) / 8.0f;  // many equal scores
      c.queries = {1.0f, 0.5f};
      const std::size_t share = (k + 1) / 2;
      TopK best(kernels::active(), c.view(), c.queries.data(), k, share);
      std::vector<ScoredDoc> expected;
      for (std::uint32_t n = 0; n < c.n_docs; ++n) {
        const float score = definition(c.queries.data(), c.view().row(n), 2);
        expected.push_back({score, n});
        const double below = width * static_cast<double>(generator() % 100) / 100.0;
        const double exact = static_cast<double>(score);
        const double lower = std::isinf(width) ? -width : exact - below,
                     upper = exact + (std::isinf(width) ? width : (width + below) / 2);
        if (upper > static_cast<double>(best.threshold())) best.offer(n, {lower, upper});
      }
      std::sort(expected.begin(), expected.end(), ranks_before);
      CHECK(best.share_threshold() <= expected[share - 1].score);
      std::vector<ScoredDoc> found = best.take();
      std::sort(found.begin(), found.end(), ranks_before);
      REQUIRE(found.size() >= k);
      for (std::size_t i = 0; i < k; ++i) {
        REQUIRE(found[i].doc == expected[i].doc);
        REQUIRE(found[i].score == expected[i].score);
      }
    }
  }
}

TEST_CASE("TopK: a floor from elsewhere drops what scores less, not what scores the same") {
  const Case c{3, 1, 1, {2.0f, 3.0f, 1.0f}, {1.0f}};
  TopK best(kernels::active(), c.view(), c.queries.data(), 1, 1);
  best.raise(3.0f);
  CHECK(best.threshold() == std::nextafter(3.0f, 0.0f));
  for (const std::uint32_t n : {0u, 1u, 2u}) best.offer(n, {0.0, n == 1 ? 3.0 : 2.5});
  const std::vector<ScoredDoc> found = best.take();
  REQUIRE(found.size() == 1);
  CHECK(found[0].doc == 1);
}

TEST_CASE("SharedFloors: k documents reach a floor, found by one thread or by all together") {
  SharedFloors floors(2, 3);
  CHECK(floors.share_of(10) == 4);
  CHECK(floors.share_of(9) == 3);
  floors.raise(1, 0, 1.0f, 5.0f);
  floors.raise(1, 1, 2.0f, 4.0f);
  CHECK(floors.get(1) == 2.0f);  // the third has not found its share
  floors.raise(1, 2, 0.5f, 3.0f);
  CHECK(floors.get(1) == 3.0f);
  floors.raise(1, 2, 0.5f, 9.0f);
  CHECK(floors.get(1) == 4.0f);
  CHECK(floors.get(0) == -std::numeric_limits<float>::infinity());
}
