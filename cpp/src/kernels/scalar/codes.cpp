// The meaning of the kernels of quantised vectors: every other instruction set is compared with this file.
#include "kernels/codes.h"

namespace twotower::kernels::scalar {
namespace {

// What a plane adds to the inner product of a query and one row.
std::int32_t row_sum(const std::int8_t* query, std::size_t n_groups, const std::uint8_t* row) noexcept {
  std::int32_t sum = 0;
  for (std::size_t g = 0; g < n_groups; ++g) {
    const std::int8_t* q = query + g * kCodeGroup;
    const std::uint8_t* bytes = row + g * kGroupBytes;
    for (std::size_t j = 0; j < 4; ++j) sum += q[j] * (bytes[j] & 15) + q[j + 4] * (bytes[j] >> 4);
  }
  return sum;
}

void plane_sums(const std::int8_t* query, std::size_t n_groups, const std::uint8_t* plane, std::size_t n_blocks,
                std::int32_t* sums) noexcept {
  for (std::size_t b = 0; b < n_blocks; ++b) {
    const std::uint8_t* block = plane + b * n_groups * kGroupBytes;
    for (std::size_t r = 0; r < kCodeRows; ++r) sums[b * kCodeRows + r] = row_sum(query, n_groups, block + 4 * r);
  }
}

void byte_sums(const std::int8_t* panels, std::size_t n_panels, std::size_t n_groups, const std::uint8_t* high,
               const std::uint8_t* low, std::size_t n_blocks, std::int32_t* sums, std::size_t stride) noexcept {
  for (std::size_t b = 0; b < n_blocks; ++b) {
    for (std::size_t q = 0; q < n_panels * kCodePanel; ++q) {
      const std::int8_t* panel = panels + q / kCodePanel * kCodePanel * n_groups * kCodeGroup;
      for (std::size_t r = 0; r < kCodeRows; ++r) {
        std::int32_t sum = 0;
        for (std::size_t t = 0; t < 2 * n_groups; ++t) {
          for (std::size_t j = 0; j < 4; ++j) {
            const std::size_t at = (b * n_groups + t / 2) * kGroupBytes + 4 * r + j;
            const std::size_t shift = t % 2 * 4;
            const int byte = (high[at] >> shift & 15) << 4 | (low[at] >> shift & 15);
            sum += panel[(t * kCodePanel + q % kCodePanel) * 4 + j] * byte;
          }
        }
        sums[q * stride + b * kCodeRows + r] = sum;
      }
    }
  }
}

std::size_t select_sums(const std::int32_t* sums, const float* scales, const float* radii, std::size_t n_rows,
                        CodeLine line, float threshold, std::uint32_t* found) noexcept {
  std::size_t n = 0;
  for (std::size_t r = 0; r < n_rows; ++r) {
    if (sums[r] < line.least) continue;
    const float score = static_cast<float>(sums[r] - line.offset) * (scales[r] * line.unit);
    const float upper = score + line.factor * radii[r];
    if (!(upper < threshold)) found[n++] = static_cast<std::uint32_t>(r);
  }
  return n;
}

}  // namespace

const CodesKernels kCodes{plane_sums, byte_sums, select_sums};

}  // namespace twotower::kernels::scalar
