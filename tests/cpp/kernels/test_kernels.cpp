// Every runnable instruction set against the scalar oracle: odd sizes, misaligned pointers, values that are no numbers.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "dense/error_bound.h"
#include "kernels/dispatch.h"

using twotower::kernels::Kernels;
using twotower::kernels::kScalar;

namespace {

constexpr std::size_t kSizes[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100, 257};
constexpr std::size_t kRowCounts[] = {0, 1, 3, 4, 5, 8, 9, 11, 12, 13, 16, 17, 25};

// `n` random floats that begin `offset` floats after an aligned address; ASan sees every read past the end.
std::vector<float> random_floats(std::size_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& value : values) value = normal(generator);
  return values;
}

double exact(const float* a, const float* b, std::size_t n) {
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

double sum_of_magnitudes(const float* a, const float* b, std::size_t n) {
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += std::fabs(static_cast<double>(a[i]) * static_cast<double>(b[i]));
  return sum;
}

template <class Test>
void on_every_isa(Test&& test) {
  for (const Kernels* kernels : twotower::kernels::runnable()) {
    CAPTURE(kernels->name);
    test(*kernels);
  }
}

}  // namespace

TEST_CASE("crc32c: known values, and every ISA equal to the table at every size and offset") {
  const char* digits = "123456789";
  on_every_isa([&](const Kernels& k) {
    CHECK(k.checksum.crc32c(0, reinterpret_cast<const std::uint8_t*>(digits), 9) ==
          0xE3069283u);  // RFC 3720, appendix B.4
    std::vector<std::uint8_t> bytes(300);
    CHECK(k.checksum.crc32c(0, bytes.data(), 32) == 0x8A9136AAu);
    std::mt19937 generator(1);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(generator());
    for (std::size_t offset = 0; offset < 9; ++offset) {
      for (std::size_t size : kSizes) {
        CHECK(k.checksum.crc32c(7, bytes.data() + offset, size) ==
              kScalar.checksum.crc32c(7, bytes.data() + offset, size));
      }
    }
    CHECK(k.checksum.crc32c(k.checksum.crc32c(0, bytes.data(), 101), bytes.data() + 101, 199) ==
          k.checksum.crc32c(0, bytes.data(), 300));
  });
}

TEST_CASE("dot_rows and dot_panel stay within gamma * sum |q||x| of the exact product") {
  on_every_isa([](const Kernels& k) {
    for (std::size_t dim : kSizes) {
      for (std::size_t n_rows : kRowCounts) {
        CAPTURE(dim);
        CAPTURE(n_rows);
        // Exact buffers, so that reading past an end is an error under ASan; one float in, so that nothing is aligned.
        const auto rows = random_floats(n_rows * dim + 1, 2), query = random_floats(dim + 1, 3);
        const float *x = rows.data() + 1, *q = query.data() + 1;
        std::vector<float> scores(n_rows), panel_scores(n_rows * k.dense.panel), panel(dim * k.dense.panel);
        k.dense.dot_rows(q, x, n_rows, dim, scores.data());
        for (std::size_t d = 0; d < dim; ++d) {
          for (std::size_t p = 0; p < k.dense.panel; ++p) panel[d * k.dense.panel + p] = q[d] * static_cast<float>(p);
        }
        k.dense.dot_panel(panel.data(), x, n_rows, dim, panel_scores.data());
        for (std::size_t r = 0; r < n_rows; ++r) {
          const double bound = twotower::gamma32(dim) * sum_of_magnitudes(q, x + r * dim, dim);
          CHECK(std::fabs(static_cast<double>(scores[r]) - exact(q, x + r * dim, dim)) <= bound);
          for (std::size_t p = 0; p < k.dense.panel; ++p) {
            std::vector<float> scaled(dim);
            for (std::size_t d = 0; d < dim; ++d) scaled[d] = panel[d * k.dense.panel + p];
            const double slack = twotower::gamma32(dim) * sum_of_magnitudes(scaled.data(), x + r * dim, dim);
            const double off =
                static_cast<double>(panel_scores[r * k.dense.panel + p]) - exact(scaled.data(), x + r * dim, dim);
            REQUIRE(std::fabs(off) <= slack);
          }
        }
      }
    }
  });
}

TEST_CASE("dot_exact is bit-equal to the definition, also where float32 would overflow, underflow or cancel") {
  on_every_isa([](const Kernels& k) {
    for (const float scale : {1.0f, 1e20f, 1e38f, 1e-30f, 1e-40f}) {
      for (std::size_t dim : kSizes) {
        const std::size_t n_rows = 21;
        auto values = random_floats(n_rows * dim, 4);
        const auto query = random_floats(dim, 5);
        for (std::size_t i = 0; i < values.size(); i += 3) values[i] *= scale;
        std::vector<const float*> rows;
        for (std::size_t r = 0; r < n_rows; ++r) rows.push_back(values.data() + (n_rows - 1 - r) * dim);
        std::vector<float> scores(n_rows);
        k.dense.dot_exact(query.data(), rows.data(), n_rows, dim, scores.data());
        for (std::size_t r = 0; r < n_rows; ++r) {
          const float expected = static_cast<float>(exact(query.data(), rows[r], dim));
          REQUIRE(std::memcmp(&scores[r], &expected, sizeof expected) == 0);
        }
      }
    }
  });
}

TEST_CASE("select_rows and select_panel find what the oracle finds, infinities and NaN included") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const float odd[] = {kInf, -kInf, std::numeric_limits<float>::quiet_NaN(), 0.0f, -0.0f, 1e-42f};
  on_every_isa([&](const Kernels& k) {
    for (std::size_t n_rows : kRowCounts) {
      auto scores = random_floats(n_rows * k.dense.panel, 6);
      auto norms = random_floats(n_rows, 7);
      for (std::size_t i = 0; i < scores.size(); i += 11) scores[i] = odd[i % 6];
      for (float& norm : norms) norm = std::fabs(norm);
      if (n_rows > 3) norms[3] = kInf;
      std::vector<std::uint32_t> found(scores.size()), expected(scores.size());
      for (const float threshold : {-kInf, -1.0f, 0.0f, 0.5f, kInf}) {
        const std::size_t n =
            k.dense.select_rows(scores.data(), norms.data(), n_rows, 0.25f, 1e-45f, threshold, found.data());
        const std::size_t m =
            kScalar.dense.select_rows(scores.data(), norms.data(), n_rows, 0.25f, 1e-45f, threshold, expected.data());
        REQUIRE(std::vector<std::uint32_t>(found.begin(), found.begin() + static_cast<long>(n)) ==
                std::vector<std::uint32_t>(expected.begin(), expected.begin() + static_cast<long>(m)));
        std::vector<float> factor(k.dense.panel, 0.25f), absolute(k.dense.panel, 1e-45f),
            thresholds(k.dense.panel, threshold);
        factor[0] = 0.0f;
        thresholds[k.dense.panel - 1] = 0.1f;
        const std::size_t picked = k.dense.select_panel(scores.data(), norms.data(), n_rows, factor.data(),
                                                        absolute.data(), thresholds.data(), found.data());
        std::size_t at = 0;
        for (std::uint32_t i = 0; i < scores.size(); ++i) {
          const std::size_t p = i % k.dense.panel;
          std::uint32_t hit;
          if (kScalar.dense.select_rows(&scores[i], &norms[i / k.dense.panel], 1, factor[p], absolute[p], thresholds[p],
                                        &hit) == 0) {
            continue;
          }
          REQUIRE(at < picked);
          REQUIRE(found[at++] == i);
        }
        REQUIRE(at == picked);
      }
    }
  });
}
