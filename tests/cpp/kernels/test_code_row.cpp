// Rows coded as 8-bit integers on the way to a panel: the contract of CodeRowKernels, on every instruction set that has
// it.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/dispatch.h"

using namespace twotower::kernels;

namespace {

using CodeRow = CodedRow (*)(const void* row, std::size_t dim, std::int8_t* codes) noexcept;

// A row of one storage at an odd address, in an allocation of its own, and the float32 numbers that it stands for.
struct Row {
  Row(const ExactKernels& exact, int storage, const std::vector<float>& wanted)
      : room(wanted.size() * (storage == 0 ? 4 : 2) + 1), values(wanted) {
    for (std::size_t d = 0; d < wanted.size(); ++d) {
      std::uint32_t bits;
      std::memcpy(&bits, &wanted[d], 4);
      const auto bfloat = static_cast<std::uint16_t>(bits >> 16);
      const auto half = static_cast<std::uint16_t>(wanted[d] == 0.0f ? 0 : 0x3000 + (bits >> 13 & 0x8FFF));
      if (storage == 0) std::memcpy(&room[1 + 4 * d], &bits, 4);
      if (storage == 1) std::memcpy(&room[1 + 2 * d], &bfloat, 2);
      if (storage == 2) std::memcpy(&room[1 + 2 * d], &half, 2);
    }
    if (storage == 1) exact.widen_bfloat16(&room[1], wanted.size(), values.data());
    if (storage == 2) exact.widen_float16(&room[1], wanted.size(), values.data());
  }
  std::vector<unsigned char> room;
  std::vector<float> values;
};

void check(const Kernels& kernels, int storage, const std::vector<float>& wanted) {
  const CodeRowKernels& code_row = kernels.dense.code_row;
  const CodeRow run = storage == 0 ? code_row.float32 : storage == 1 ? code_row.bfloat16 : code_row.float16;
  if (run == nullptr) return;
  const Row row(kernels.dense.exact, storage, wanted);
  const std::size_t dim = wanted.size(), filled = (dim + kQueryAlign - 1) / kQueryAlign * kQueryAlign;
  std::vector<std::int8_t> codes(filled + 1, 99);
  const CodedRow coded = run(&row.room[1], dim, codes.data());
  CHECK(codes[filled] == 99);
  float most = 0.0f;
  for (const float value : row.values) most = std::fmax(most, std::fabs(value));
  const bool in_range = most >= kLeastCoded && most < kMostCoded;
  CHECK(std::isnan(coded.step) == (most != 0.0f && !in_range));
  CHECK((coded.step == 0.0f) == (most == 0.0f));
  std::int32_t sum = 0;
  for (std::size_t d = 0; d < filled; ++d) {
    sum += codes[d];
    if (d >= dim || !in_range) REQUIRE(codes[d] == 0);
    if (d >= dim || !in_range) continue;
    REQUIRE(std::abs(static_cast<int>(codes[d])) <= 127);
    const double exact = static_cast<double>(row.values[d]) / static_cast<double>(coded.step);
    REQUIRE(std::fabs(exact - static_cast<double>(codes[d])) <= 0.5 + 0x1p-14);
  }
  CHECK(coded.start == -128 * sum);
  if (in_range) CHECK(std::fabs(coded.step / (most / 127.0f) - 1.0f) < 1e-6f);
}

}  // namespace

TEST_CASE("code_row: every element within half a step, at every size, storage and scale") {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  for (const Kernels* kernels : runnable()) {
    CAPTURE(kernels->name);
    for (int storage = 0; storage < 3; ++storage) {
      CAPTURE(storage);
      for (const std::size_t dim : {1u, 2u, 15u, 16u, 17u, 31u, 33u, 63u, 64u, 65u, 100u, 128u, 384u, 1001u}) {
        CAPTURE(dim);
        for (const float scale : {1.0f, 0x1p-59f, 0x1p+58f, 0.0f, 0x1p-70f, 0x1p+100f, 1e-42f}) {
          std::vector<float> values(dim);
          for (float& value : values) value = std::fmin(std::fmax(normal(generator), -4.0f), 4.0f) * scale;
          check(*kernels, storage, values);
          values[dim / 2] *= 100.0f;
          check(*kernels, storage, values);
        }
      }
    }
  }
}
