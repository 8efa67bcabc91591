// The kernels of embedding rows: every runnable instruction set equal to the scalar oracle bit for bit, whatever the
// size and address, and the oracle to sums and steps in double.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/dispatch.h"

using namespace twotower::kernels;

namespace {

constexpr std::size_t kDims[] = {0,  1,  3,  7,  8,  9,  15,  16,  17,  31,  32, 33,
                                 63, 64, 65, 95, 96, 97, 255, 256, 257, 300, 384};
constexpr std::size_t kRows = 20;

std::vector<float> random_floats(std::size_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (auto& value : values) value = normal(generator);
  return values;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

const std::vector<std::int64_t> kIds{3, 0, 19, 3, 3, 7, 11, 2, 0, 18, 5, 3};

AdamStep a_step(float rate) { return {0.9f, 0.1f, 0.999f, 0.001f, rate, 1.7f, 1e-8f, 0.99f}; }

// Weights and moments of a row, moved by one kernel; guards behind the last element show a write too far.
struct Row {
  std::vector<float> weight, first, second;
  Row(std::size_t dim, unsigned seed)
      : weight(random_floats(dim + 17, seed)),
        first(random_floats(dim + 17, seed + 1)),
        second(random_floats(dim + 17, seed + 2)) {
    for (auto& value : second) value *= value;
  }
  bool operator==(const Row& other) const {
    return same_bits(weight, other.weight) && same_bits(first, other.first) && same_bits(second, other.second);
  }
};

}  // namespace

TEST_CASE("weighted sums of rows are the scalar ones on every instruction set") {
  for (const std::size_t dim : kDims) {
    const auto table = random_floats(kRows * dim + 1, 1);
    std::vector<std::uint16_t> halves(table.size());
    for (std::size_t i = 0; i < table.size(); ++i) {
      std::uint32_t bits;
      std::memcpy(&bits, &table[i], sizeof bits);
      halves[i] = static_cast<std::uint16_t>(bits >> 16);
    }
    const auto weights = random_floats(kIds.size(), 2);
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{7}, kIds.size()}) {
      for (const float* given : {static_cast<const float*>(nullptr), weights.data()}) {
        std::vector<float> expected(dim + 17, 9.0f), expected_halves(dim + 17, 9.0f);
        kScalar.bag.sum_float32(table.data() + 1, dim, kIds.data(), given, n, expected.data());
        kScalar.bag.sum_bfloat16(halves.data() + 1, dim, kIds.data(), given, n, expected_halves.data());
        for (std::size_t d = 0; d < dim; ++d) {
          double sum = 0;
          for (std::size_t i = 0; i < n; ++i) {
            sum += static_cast<double>(given == nullptr ? 1.0f : given[i]) *
                   table[1 + static_cast<std::size_t>(kIds[i]) * dim + d];
          }
          CHECK(std::abs(expected[d] - sum) < 1e-5);
        }
        for (const Kernels* isa : runnable()) {
          CAPTURE(isa->name);
          std::vector<float> found(dim + 17, 9.0f), found_halves(dim + 17, 9.0f);
          isa->bag.sum_float32(table.data() + 1, dim, kIds.data(), given, n, found.data());
          isa->bag.sum_bfloat16(halves.data() + 1, dim, kIds.data(), given, n, found_halves.data());
          CHECK(same_bits(found, expected));
          CHECK(same_bits(found_halves, expected_halves));
        }
      }
    }
  }
}

TEST_CASE("steps of Adam are the scalar ones on every instruction set") {
  std::vector<AdamStep> steps;
  for (int i = 1; i < 6; ++i) steps.push_back(a_step(0.1f / static_cast<float>(i)));
  for (const std::size_t dim : kDims) {
    const auto gradient = random_floats(dim + 1, 5);
    Row expected(dim, 7), idle_expected(dim, 8);
    kScalar.bag.adam_step(expected.weight.data(), expected.first.data(), expected.second.data(), gradient.data() + 1,
                          dim, steps[0]);
    kScalar.bag.adam_idle(idle_expected.weight.data(), idle_expected.first.data(), idle_expected.second.data(), dim,
                          steps.data(), steps.size());
    for (const Kernels* isa : runnable()) {
      CAPTURE(isa->name);
      Row found(dim, 7), idle(dim, 8);
      isa->bag.adam_step(found.weight.data(), found.first.data(), found.second.data(), gradient.data() + 1, dim,
                         steps[0]);
      isa->bag.adam_idle(idle.weight.data(), idle.first.data(), idle.second.data(), dim, steps.data(), steps.size());
      CHECK(found == expected);
      CHECK(idle == idle_expected);
    }
  }
}

TEST_CASE("a step of Adam by hand") {
  float weight = 1.0f, first = 0.5f, second = 0.25f;
  const float gradient = 2.0f;
  const AdamStep s{0.9f, 0.1f, 0.999f, 0.001f, 0.1f, 2.0f, 0.0f, 1.0f};
  kScalar.bag.adam_step(&weight, &first, &second, &gradient, 1, s);
  CHECK(first == doctest::Approx(0.65));
  CHECK(second == doctest::Approx(0.25375));
  CHECK(weight == doctest::Approx(1.0 - 0.065 / std::sqrt(0.5075)));
  kScalar.bag.adam_idle(&weight, &first, &second, 1, &s, 1);
  CHECK(first == doctest::Approx(0.585));
  CHECK(second == doctest::Approx(0.25349625));
}
