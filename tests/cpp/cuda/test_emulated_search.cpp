// The source of the CUDA kernels, run on the host, against exact_top_k: same documents, scores and order.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "twotower/cuda_search.h"
#include "twotower/dense.h"
#include "twotower/error.h"

using namespace twotower;

namespace {

constexpr Storage kStorages[] = {Storage::kFloat32, Storage::kBfloat16, Storage::kFloat16, Storage::kInt8};
constexpr Metric kMetrics[] = {Metric::kInnerProduct, Metric::kCosine, Metric::kL2};

// Stored vectors with random elements of any storage, and their limits.
struct Case {
  Storage storage;
  Metric metric;
  std::size_t n_docs, dim, n_queries;
  std::vector<std::uint32_t> room;
  std::vector<float> scales, queries, scale, norm, offset;
  std::vector<double> squares;
  std::vector<std::int32_t> start;

  Case(Storage s, Metric m, std::size_t n, std::size_t d, std::size_t q, unsigned seed, int levels = 0)
      : storage(s),
        metric(m),
        n_docs(n),
        dim(d),
        n_queries(q),
        room(n * d + 1),
        scales(n),
        queries(q * d),
        scale(n),
        norm(n),
        offset(n),
        squares(n),
        start(n) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    const auto next = [&] {
      const float value = normal(generator);
      return levels == 0 ? value : static_cast<float>(static_cast<int>(value * 2.0f) % levels);
    };
    for (float& value : queries) value = next();
    for (float& value : scales) value = 0.0078125f * static_cast<float>(1 + generator() % 200);
    for (std::size_t i = 0; i < n * d; ++i) write(i, next());
  }

  void write(std::size_t i, float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, 4);
    if (storage == Storage::kFloat32) std::memcpy(room.data() + i, &value, 4);
    if (storage == Storage::kInt8)
      reinterpret_cast<std::int8_t*>(room.data())[i] = static_cast<std::int8_t>(value * 40);
    std::uint16_t half = static_cast<std::uint16_t>(bits >> 16);
    if (storage == Storage::kFloat16) {  // a few bits, normal
      const std::uint32_t exponent = bits >> 23 & 0xFF;
      half = exponent < 120
                 ? std::uint16_t{0}
                 : static_cast<std::uint16_t>((bits >> 16 & 0x8000) | (exponent - 112) << 10 | (bits >> 13 & 0x3FF));
    }
    if (storage == Storage::kBfloat16 || storage == Storage::kFloat16) {
      std::memcpy(reinterpret_cast<char*>(room.data()) + 2 * i, &half, 2);
    }
  }

  StoredVectors stored() const { return {room.data(), n_docs, dim, storage, scales.data()}; }

  DenseView view() {
    DenseView view(stored(), metric, {scale.data(), norm.data(), offset.data(), squares.data(), start.data()});
    doc_limits(view.vectors, metric, 1, view.limits);
    return view;
  }
};

struct Answer {
  std::vector<float> scores;
  std::vector<std::int64_t> docs;
  explicit Answer(std::size_t n) : scores(n, 7.0f), docs(n, 7) {}
  bool operator==(const Answer& other) const { return scores == other.scores && docs == other.docs; }
};

Answer oracle(Case& c, std::size_t k, const std::uint64_t* where = nullptr) {
  Answer answer(c.n_queries * k);
  exact_top_k(c.view(), c.queries.data(), c.n_queries, k, 1, where, answer.scores.data(), answer.docs.data());
  return answer;
}

struct How {
  bool groups = false, backward = false;
  cuda::SearchLimits limits{};
};

Answer emulated(const Case& c, std::size_t k, const How& how = {}, const std::uint64_t* where = nullptr) {
  const auto searcher = cuda::make_emulated_searcher(c.stored(), c.metric, how.groups, how.backward, how.limits);
  Answer answer(c.n_queries * k);
  searcher->search({c.queries.data(), c.n_queries, Storage::kFloat32, false}, k, where, 0,
                   {answer.scores.data(), answer.docs.data(), false});
  return answer;
}

}  // namespace

TEST_CASE("cuda emulated: every storage, metric and width of tiles") {
  unsigned seed = 0;
  for (const Storage storage : kStorages) {
    for (const Metric metric : kMetrics) {
      for (const std::size_t n_queries : {1, 31, 100}) {
        Case c(storage, metric, 1000, 17, n_queries, ++seed);
        const Answer expected = oracle(c, 10);
        CAPTURE(static_cast<int>(storage));
        CAPTURE(static_cast<int>(metric));
        CAPTURE(n_queries);
        How how;
        how.limits.capacity = 128;
        CHECK(emulated(c, 10) == expected);
        CHECK(emulated(c, 10, how) == expected);
        how.backward = true;
        CHECK(emulated(c, 10, how) == expected);
      }
    }
  }
}

TEST_CASE("cuda emulated: sizes of the dense tests, each storage, ks and windows") {
  const std::size_t sizes[] = {0, 1, 7, 8, 15, 16, 17, 47, 48, 49, 1000};
  const std::size_t dims[] = {1, 3, 16, 17, 384};
  const std::size_t batches[] = {1, 2, 31, 32, 33, 257};
  unsigned seed = 100;
  for (const Storage storage : kStorages) {
    for (const std::size_t n : sizes) {
      for (const std::size_t dim : dims) {
        ++seed;
        // Each pair of sizes once; the other axes go round.
        const std::size_t n_queries = batches[seed % (n * dim > 100000 ? 3 : 6)];
        Case c(storage, kMetrics[seed % 3], n, dim, n_queries, seed, seed % 4 == 0 ? 3 : 0);
        for (const std::size_t k : {std::size_t{1}, std::size_t{10}, std::size_t{100}, n}) {
          How how;
          how.groups = seed % 2 == 0;
          how.backward = (seed + k) % 2 == 0;
          how.limits.capacity = k == 10 ? 128 : 0;
          how.limits.window_docs = k == 1 ? 300 : 0;
          CAPTURE(static_cast<int>(storage));
          CAPTURE(n);
          CAPTURE(dim);
          CAPTURE(n_queries);
          CAPTURE(k);
          CHECK(emulated(c, k, how) == oracle(c, k));
        }
      }
    }
  }
}

TEST_CASE("cuda emulated: wgmma's tiles equal mma's and the oracle's") {
  for (const Storage storage : {Storage::kBfloat16, Storage::kFloat16}) {
    for (const std::size_t dim : {17, 200, 768}) {  // one chunk to twelve, behind which the stages come round
      for (const std::size_t n_queries : {20, 100, 140}) {
        Case c(storage, Metric::kInnerProduct, 700, dim, n_queries, static_cast<unsigned>(dim));
        CAPTURE(dim);
        CAPTURE(n_queries);
        How how;
        how.limits.capacity = 256;
        const Answer expected = oracle(c, 9);
        CHECK(emulated(c, 9, how) == expected);
        how.groups = true;
        CHECK(emulated(c, 9, how) == expected);
        how.backward = true;  // products are late, copies early
        CHECK(emulated(c, 9, how) == expected);
      }
    }
  }
}

TEST_CASE("cuda emulated: more survivors than slots, again and again") {
  // All scores equal: no threshold can drop a document, so that every range has to be halved down to the slots.
  for (const Storage storage : kStorages) {
    Case c(storage, Metric::kInnerProduct, 1500, 5, 3, 5);
    for (std::size_t i = 0; i < c.n_docs * c.dim; ++i) c.write(i, 1.0f);
    std::fill_n(c.queries.begin() + 5, 5, 0.0f);  // without any reach: only DocIds decide
    How how;
    how.limits.capacity = 128;
    CHECK(emulated(c, 7, how) == oracle(c, 7));
    CHECK(emulated(c, 130, how) ==
          oracle(c, 130));  // more than the first tile: equal scores of a later one rank before
    how.backward = true;
    CHECK(emulated(c, 7, how) == oracle(c, 7));
  }
  // Ascending scores: the best are always those not seen yet, wherever the sample was.
  Case c(Storage::kFloat32, Metric::kInnerProduct, 3000, 2, 40, 6);
  for (std::size_t i = 0; i < c.n_docs * c.dim; ++i) c.write(i, static_cast<float>(i));
  How how;
  how.limits.capacity = 128;
  CHECK(emulated(c, 50, how) == oracle(c, 50));
}

TEST_CASE("cuda emulated: k beyond what one block sorts, and filters") {
  Case c(Storage::kBfloat16, Metric::kL2, 5000, 3, 2, 7, 5);
  CHECK(emulated(c, 4800) == oracle(c, 4800));
  CHECK(emulated(c, 5100) == oracle(c, 5100));
  std::vector<std::uint64_t> where((5000 + 63) / 64);
  std::mt19937_64 generator(1);
  for (std::uint64_t& word : where) word = generator() & generator();
  where.back() &= (std::uint64_t{1} << 5000 % 64) - 1;
  How how;
  how.limits = {128, 1111, 0};
  CHECK(emulated(c, 20, how, where.data()) == oracle(c, 20, where.data()));
  std::fill(where.begin(), where.end(), 0);
  where[40] = 4;
  CHECK(emulated(c, 20, how, where.data()) == oracle(c, 20, where.data()));
}

TEST_CASE("cuda emulated: numbers that are not finite are found, memory that is too little is told") {
  Case c(Storage::kFloat32, Metric::kInnerProduct, 300, 6, 4, 8);
  c.write(200 * 6 + 3, std::numeric_limits<float>::infinity());
  CHECK(cuda::make_emulated_searcher(c.stored(), c.metric, false, false, {})->odd_row() == 200);
  Case good(Storage::kFloat32, Metric::kInnerProduct, 300, 6, 4, 8);
  good.queries[2 * 6 + 1] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(emulated(good, 3), InvalidInput);
  How how;
  how.limits.memory_bytes = 40000;
  CHECK_THROWS_AS(emulated(Case(Storage::kFloat32, Metric::kInnerProduct, 3000, 6, 4, 8), 3, how), BackendUnavailable);
}

TEST_CASE("cuda emulated: more survivors of a tile than its list holds") {
  // The first tiles of the order hold nothing, so that the threshold is low when the others come.
  for (const Storage storage : kStorages) {
    for (const std::size_t n_queries : {std::size_t{2}, std::size_t{300}}) {
      Case c(storage, Metric::kInnerProduct, 2000, 8, n_queries, 11);
      for (float& value : c.queries) value = std::abs(value) + 0.1f;
      for (std::size_t i = 0; i < 2000 * 8; ++i) {
        const bool first = i / 8 / 128 == 0 || i / 8 / 128 == 9;
        c.write(i, first ? -0.5f : 0.25f + 0.001f * static_cast<float>(i * 7919 % 997));
      }
      How how;
      how.groups = true;
      how.limits.capacity = 1024;
      CHECK(emulated(c, 6, how) == oracle(c, 6));
    }
  }
}

TEST_CASE("cuda emulated: rows and queries of every width, the last tile and the last chunk filled up with zeros") {
  for (const Storage storage : kStorages) {
    for (const std::size_t n_queries : {9, 65, 129}) {
      for (const std::size_t dim : {8, 65}) {
        Case c(storage, Metric::kCosine, 385, dim, n_queries, static_cast<unsigned>(n_queries));
        How how;
        how.groups = true;
        how.backward = true;
        how.limits = {128, 300, 0};
        CHECK(emulated(c, 4, how) == oracle(c, 4));
      }
    }
  }
}
