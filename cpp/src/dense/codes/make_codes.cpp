// make_codes: the rows' side of docs/math.md, section 3.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "dense/codes/interval.h"
#include "dense/codes/rotation.h"
#include "dense/default_float_environment.h"
#include "dense/error_bound.h"
#include "kernels/codes.h"
#include "twotower/dense_codes.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

using kernels::kCodeGroup;
using kernels::kCodeRows;
using kernels::kGroupBytes;

constexpr std::size_t kBlocksAtOnce = 64;
constexpr double kGreatestNorm = 0x1p116;  // beyond it float32 sums could overflow: such a row is never dropped

struct Norms {
  double row = 0.0;   // of the row and of the mean, together
  double code = 0.0;  // of the centred row
  double coarse = 0.0;
  double fine = 0.0;
};

// See docs/math.md: (radius of the code and of the query's own rounding), and the small parts.
float radius(const Norms& norms, double error) {
  const double length = norms.code + error;
  if (!(length < kGreatestNorm)) return std::numeric_limits<float>::infinity();
  return round_up((error + kQueryError * length) * (1.0 + 0x1p-20) + 0x1p-19 * length + 0x1p-30 * norms.row);
}

class RowCoder {
 public:
  RowCoder(const Rotation& rotation, const VectorsView& vectors, const float* mean)
      : rotation_(rotation), vectors_(vectors), mean_(mean), centred_(vectors.dim), codes_(vectors.dim) {
    double sum = 0.0;
    for (std::size_t d = 0; d < vectors.dim; ++d) sum += static_cast<double>(mean[d]) * static_cast<double>(mean[d]);
    mean_norm_ = std::sqrt(sum);
  }

  // Codes of one row, for put(); returns its scale.
  float code(std::size_t doc, Norms& norms) {
    const float* row = vectors_.row(doc);
    double sum = 0.0;
    for (std::size_t d = 0; d < vectors_.dim; ++d) {
      const double value = static_cast<double>(row[d]);
      sum += value * value;
      centred_[d] = value - static_cast<double>(mean_[d]);
    }
    norms.row = std::sqrt(sum) + mean_norm_;
    rotation_.apply(centred_.data());
    double greatest = 0.0;
    for (const double value : centred_) greatest = std::max(greatest, std::fabs(value));
    const float scale = static_cast<float>(greatest / 127.0);
    round(static_cast<double>(scale), norms);
    return scale;
  }

  void put(std::uint8_t* high, std::uint8_t* low, std::size_t row) const noexcept {
    for (std::size_t d = 0; d < codes_.size(); ++d) {
      const std::size_t at = d / kCodeGroup * kGroupBytes + 4 * row + d % 4;
      const int shift = d % kCodeGroup < 4 ? 0 : 4;
      high[at] = static_cast<std::uint8_t>(high[at] | (codes_[d] >> 4) << shift);
      low[at] = static_cast<std::uint8_t>(low[at] | (codes_[d] & 15) << shift);
    }
  }

 private:
  void round(double scale, Norms& norms) {
    double length = 0.0, coarse = 0.0, fine = 0.0;
    for (std::size_t d = 0; d < codes_.size(); ++d) {
      const double value = centred_[d];
      const double code = scale > 0.0 ? std::clamp(std::nearbyint(value / scale), -127.0, 127.0) : 0.0;
      codes_[d] = static_cast<std::uint8_t>(static_cast<int>(code) + 128);
      const double of_byte = value - scale * code;
      const double of_half = value - scale * (16 * (codes_[d] >> 4) - 120);
      length += value * value;
      fine += of_byte * of_byte;
      coarse += of_half * of_half;
    }
    norms.code = std::sqrt(length);
    norms.fine = std::sqrt(fine);
    norms.coarse = std::sqrt(coarse);
  }

  const Rotation& rotation_;
  VectorsView vectors_;
  const float* mean_;
  double mean_norm_;
  std::vector<double> centred_;
  std::vector<std::uint8_t> codes_;
};

}  // namespace

std::size_t plane_bytes(std::size_t n_docs, std::size_t dim) noexcept {
  return (n_docs + kCodeRows - 1) / kCodeRows * ((dim + kCodeGroup - 1) / kCodeGroup) * kGroupBytes;
}

void make_codes(const VectorsView& vectors, const float* mean, unsigned threads, std::uint8_t* high, std::uint8_t* low,
                float* scales, float* coarse_radii, float* fine_radii) {
  const Rotation rotation(vectors.dim);
  const std::size_t block_bytes = plane_bytes(kCodeRows, vectors.dim);
  const std::size_t lot = kBlocksAtOnce * kCodeRows;
  std::fill_n(high, plane_bytes(vectors.n_docs, vectors.dim), std::uint8_t{0});
  std::fill_n(low, plane_bytes(vectors.n_docs, vectors.dim), std::uint8_t{0});
  parallel_for((vectors.n_docs + lot - 1) / lot, threads, [&](std::size_t task) {
    const DefaultFloatEnvironment environment;
    RowCoder coder(rotation, vectors, mean);
    const std::size_t end = std::min(vectors.n_docs, (task + 1) * lot);
    for (std::size_t n = task * lot; n < end; ++n) {
      Norms norms;
      scales[n] = coder.code(n, norms);
      coarse_radii[n] = radius(norms, norms.coarse);
      fine_radii[n] = radius(norms, norms.fine);
      if (std::isinf(coarse_radii[n])) fine_radii[n] = coarse_radii[n];
      if (std::isinf(fine_radii[n])) coarse_radii[n] = fine_radii[n], scales[n] = 0.0f;  // no sum overflows
      const std::size_t at = n / kCodeRows * block_bytes;
      coder.put(high + at, low + at, n % kCodeRows);
    }
  });
}

}  // namespace twotower
