// make_codes: the rows' side of docs/math.md, section 3.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "dense/codes/interval.h"
#include "dense/codes/rotation.h"
#include "dense/default_float_environment.h"
#include "dense/error_bound.h"
#include "kernels/dispatch.h"
#include "twotower/dense_codes.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

using kernels::kCodeGroup;
using kernels::kCodeRows;
using kernels::kGroupBytes;
using kernels::kReflected;

constexpr std::size_t kBlocksAtOnce = 64;
constexpr double kSmallPart = 0x1p-27;     // of the rotation and of the definition, by the norms of row and mean
constexpr double kGreatestNorm = 0x1p116;  // beyond it float32 sums could overflow: such a row is never dropped

struct Norms {
  double row = 0.0;   // of the row and of the mean, together
  double code = 0.0;  // of the centred row
  double coarse = 0.0;
  double fine = 0.0;
  double prefix_code = 0.0;  // of the prefix of the centred row
  double prefix_fine = 0.0;
  double tail_code = 0.0;
};

// See docs/math.md: (radius of the code and of the query's own rounding), and the small parts.
float radius(double code, double error, double row) {
  const double length = code + error;
  if (!(length < kGreatestNorm)) return std::numeric_limits<float>::infinity();
  return round_up((error + kQueryError * length) * (1.0 + 0x1p-20) + 0x1p-19 * length + kSmallPart * row);
}

void write_radii(const Norms& norms, const CodesSpace& space, std::size_t n) {
  float& coarse = space.coarse_radii[n] = radius(norms.code, norms.coarse, norms.row);
  float& fine = space.fine_radii[n] = radius(norms.code, norms.fine, norms.row);
  float& prefix = space.prefix_radii[n] = radius(norms.prefix_code, norms.prefix_fine, norms.row);
  space.tail_norms[n] = 0.0f;
  if (std::isinf(coarse) || std::isinf(fine)) {  // no sum overflows
    coarse = fine = prefix = std::numeric_limits<float>::infinity();
    space.scales[n] = 0.0f;
  } else {
    space.tail_norms[n] = round_up(norms.tail_code * (1.0 + 0x1p-20) + kSmallPart * norms.row);
  }
}

// Codes kReflected rows at a time, as the rotation likes them.
class RowCoder {
 public:
  RowCoder(const Rotation& rotation, const VectorsView& vectors, const float* mean)
      : rotation_(rotation), vectors_(vectors), mean_(mean), centred_(kReflected * vectors.dim), codes_(vectors.dim) {
    double sum = 0.0;
    for (std::size_t d = 0; d < vectors.dim; ++d) sum += static_cast<double>(mean[d]) * static_cast<double>(mean[d]);
    mean_norm_ = std::sqrt(sum);
  }

  // Rotates the rows [first, first + n), for code().
  void rotate(std::size_t first, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      const float* row = vectors_.row(first + i);
      double* centred = &centred_[i * vectors_.dim];
      double sum = 0.0;
      for (std::size_t d = 0; d < vectors_.dim; ++d) {
        const double value = static_cast<double>(row[d]);
        sum += value * value;
        centred[d] = value - static_cast<double>(mean_[d]);
      }
      row_norms_[i] = std::sqrt(sum) + mean_norm_;
    }
    rotation_.apply(kernels::active().codes, centred_.data(), n);
  }

  // Codes of the i-th of these rows, for put(); returns its scale.
  float code(std::size_t i, Norms& norms) {
    row_ = &centred_[i * vectors_.dim];
    norms.row = row_norms_[i];
    double greatest = 0.0;
    for (std::size_t d = 0; d < vectors_.dim; ++d) greatest = std::max(greatest, std::fabs(row_[d]));
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
    const std::size_t prefix = rotation_.prefix();
    round_part(scale, 0, prefix, norms.prefix_code, norms.coarse, norms.prefix_fine);
    norms.fine = norms.prefix_fine;
    round_part(scale, prefix, codes_.size(), norms.tail_code, norms.coarse, norms.fine);
    norms.code = std::sqrt(norms.prefix_code + norms.tail_code);
    for (double* norm : {&norms.coarse, &norms.fine, &norms.prefix_code, &norms.prefix_fine, &norms.tail_code}) {
      *norm = std::sqrt(*norm);
    }
  }

  // Codes of the dimensions [begin, end), whose squared norm and errors are added.
  void round_part(double scale, std::size_t begin, std::size_t end, double& length, double& coarse, double& fine) {
    for (std::size_t d = begin; d < end; ++d) {
      const double value = row_[d];
      const double code = scale > 0.0 ? std::clamp(std::nearbyint(value / scale), -127.0, 127.0) : 0.0;
      codes_[d] = static_cast<std::uint8_t>(static_cast<int>(code) + 128);
      const double of_byte = value - scale * code;
      const double of_half = value - scale * (16 * (codes_[d] >> 4) - 120);
      length += value * value;
      fine += of_byte * of_byte;
      coarse += of_half * of_half;
    }
  }

  const Rotation& rotation_;
  VectorsView vectors_;
  const float* mean_;
  double mean_norm_;
  std::vector<double> centred_;  // [kReflected, D]
  double row_norms_[kReflected] = {};
  const double* row_ = nullptr;
  std::vector<std::uint8_t> codes_;
};

}  // namespace

std::size_t plane_bytes(std::size_t n_docs, std::size_t dim) noexcept {
  return (n_docs + kCodeRows - 1) / kCodeRows * ((dim + kCodeGroup - 1) / kCodeGroup) * kGroupBytes;
}

void make_codes(const VectorsView& vectors, const float* mean, const Rotation& rotation, unsigned threads,
                const CodesSpace& space) {
  const std::size_t block_bytes = plane_bytes(kCodeRows, vectors.dim);
  const std::size_t lot = kBlocksAtOnce * kCodeRows;
  std::fill_n(space.high, plane_bytes(vectors.n_docs, vectors.dim), std::uint8_t{0});
  std::fill_n(space.low, plane_bytes(vectors.n_docs, vectors.dim), std::uint8_t{0});
  parallel_for((vectors.n_docs + lot - 1) / lot, threads, [&](std::size_t task) {
    const DefaultFloatEnvironment environment;
    RowCoder coder(rotation, vectors, mean);
    const std::size_t end = std::min(vectors.n_docs, (task + 1) * lot);
    for (std::size_t n = task * lot; n < end; ++n) {
      const std::size_t i = n % kReflected;
      if (i == 0) coder.rotate(n, std::min(kReflected, end - n));
      Norms norms;
      space.scales[n] = coder.code(i, norms);
      write_radii(norms, space, n);
      const std::size_t at = n / kCodeRows * block_bytes;
      coder.put(space.high + at, space.low + at, n % kCodeRows);
    }
  });
}

}  // namespace twotower
