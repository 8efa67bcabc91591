// The kernels of word vectors: every runnable instruction set equal to the scalar oracle, bit for bit, and the oracle
// to a plain sum in float64.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/dispatch.h"

using namespace twotower::kernels;

namespace {

constexpr std::size_t kDims[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 200, 256, 300};
constexpr std::size_t kTableRows = 11;

std::vector<float> random_floats(std::size_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& value : values) value = normal(generator);
  return values;
}

std::vector<std::uint32_t> random_rows(std::size_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<std::uint32_t> rows(n);
  for (auto& row : rows) row = static_cast<std::uint32_t>(generator() % kTableRows);  // some come twice
  return rows;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

}  // namespace

TEST_CASE("row_scores: a plain sum, the same bits on every ISA, at every width and offset") {
  for (const std::size_t dim : kDims) {
    for (const std::size_t n_rows : {0u, 1u, 3u, 4u, 5u, 9u}) {
      const auto input = random_floats(dim + 1, 1), table = random_floats(kTableRows * dim + 1, 2);
      const auto rows = random_rows(n_rows, 3);
      std::vector<float> expected(n_rows);
      kScalar.word2vec.row_scores(input.data() + 1, table.data() + 1, rows.data(), n_rows, dim, expected.data());
      for (std::size_t r = 0; r < n_rows; ++r) {
        double sum = 0.0, size = 0.0;
        for (std::size_t d = 0; d < dim; ++d) {
          const double product = static_cast<double>(input[1 + d]) * static_cast<double>(table[1 + rows[r] * dim + d]);
          sum += product;
          size += std::fabs(product);
        }
        CHECK(std::fabs(static_cast<double>(expected[r]) - sum) <= 1e-6 * (size + 1));
      }
      for (const Kernels* kernels : runnable()) {
        CAPTURE(kernels->name);
        std::vector<float> scores(n_rows);
        kernels->word2vec.row_scores(input.data() + 1, table.data() + 1, rows.data(), n_rows, dim, scores.data());
        CHECK(same_bits(scores, expected));
      }
    }
  }
}

TEST_CASE("step_rows: row after row, the same bits on every ISA, and nothing beside the rows is touched") {
  for (const std::size_t dim : kDims) {
    for (const std::size_t n_rows : {0u, 1u, 2u, 5u, 30u}) {
      const auto input = random_floats(dim, 1), steps = random_floats(n_rows, 4);
      const auto rows = random_rows(n_rows, 5);
      const auto first_table = random_floats(kTableRows * dim + 2, 2), first_error = random_floats(dim, 6);
      auto table = first_table, error = first_error;
      for (std::size_t r = 0; r < n_rows; ++r) {
        for (std::size_t d = 0; d < dim; ++d) {
          float& value = table[1 + rows[r] * dim + d];
          const float old = value;
          error[d] += steps[r] * old;
          value += steps[r] * input[d];
        }
      }
      for (const Kernels* kernels : runnable()) {
        CAPTURE(kernels->name);
        auto moved = first_table, summed = first_error;
        kernels->word2vec.step_rows(input.data(), moved.data() + 1, rows.data(), steps.data(), n_rows, dim,
                                    summed.data());
        CHECK(same_bits(moved, table));
        CHECK(same_bits(summed, error));
      }
    }
  }
}
