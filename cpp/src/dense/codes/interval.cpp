#include "dense/codes/interval.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dense/error_bound.h"

namespace twotower {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The nearest integer, without a call: REQUIRES |value| < 2^51 and the default rounding.
double nearest(double value) { return value + 0x1.8p52 - 0x1.8p52; }

// Rounds z / step; then moves the one number that was nearest to a tie, if the sum is odd.
void round_codes(const double* z, std::size_t dim, double step, std::int8_t* codes) {
  int sum = 0;
  std::size_t widest = 0;
  double width = -1.0;
  for (std::size_t d = 0; d < dim; ++d) {
    const double value = z[d] / step;
    const double code = std::clamp(nearest(value), -127.0, 127.0);
    codes[d] = static_cast<std::int8_t>(code);
    sum += codes[d];
    if (std::fabs(value - code) > width) {
      width = std::fabs(value - code);
      widest = d;
    }
  }
  if (sum % 2 == 0) return;
  const bool up = codes[widest] != 127 && (codes[widest] == -127 || z[widest] / step >= codes[widest]);
  codes[widest] = static_cast<std::int8_t>(codes[widest] + (up ? 1 : -1));
}

// Squared norm and error, and the sum of the codes, of some dimensions of a query.
struct Part {
  Part(const double* z, const std::int8_t* codes, std::size_t n, float step) {
    for (std::size_t d = 0; d < n; ++d) {
      const double error = z[d] - static_cast<double>(step) * codes[d];
      norm2 += z[d] * z[d];
      error2 += error * error;
      sum += codes[d];
    }
  }
  Part(const Part& a, const Part& b)
      : norm2(a.norm2 + b.norm2), error2(a.error2 + b.error2), sum(a.sum + b.sum) {}

  float factor() const noexcept {
    return round_up(std::max(std::sqrt(norm2), std::sqrt(error2) / kQueryError) * (1.0 + 0x1p-20));
  }

  double norm2 = 0.0;
  double error2 = 0.0;
  std::int32_t sum = 0;
};

}  // namespace

float CodedQuery::threshold(float score) const noexcept {
  const double before = static_cast<double>(std::nextafter(score, -kInfinity));
  if (!(before > -std::numeric_limits<double>::infinity())) return -kInfinity;
  const double spare = (std::fabs(before) + std::fabs(centre)) * 0x1p-50;
  return below(std::ldexp(before - centre - spare, -exponent) - kUnderflow);
}

float CodedQuery::floor(double lower) const noexcept {
  if (!(lower > -std::numeric_limits<double>::infinity())) return -kInfinity;
  const double value = std::ldexp(lower - kUnderflow, exponent);
  return below(value + centre - (std::fabs(value) + std::fabs(centre)) * 0x1p-50);
}

std::int32_t least_sum(kernels::CodeLine line, float threshold, float scale, float radius) noexcept {
  const double rest = static_cast<double>(threshold) - static_cast<double>(line.factor) * static_cast<double>(radius);
  const double step = static_cast<double>(scale) * static_cast<double>(line.unit);
  if (!(rest > 0.0) || !(step > 0.0)) return kLeastSum;
  // Row by row, (sum - offset) * scale * unit + factor * radius would round to a float32 below the threshold.
  const double least = static_cast<double>(line.offset) + rest / step * (1.0 - 0x1p-20) - 1.0;
  return static_cast<std::int32_t>(std::min(least, static_cast<double>(std::numeric_limits<std::int32_t>::max())));
}

CodedQuery code_query(double* z, std::size_t dim, std::size_t prefix, std::int8_t* codes) {
  CodedQuery coded{};
  double greatest = 0.0;
  for (std::size_t d = 0; d < dim; ++d) greatest = std::max(greatest, std::fabs(z[d]));
  std::fill(codes, codes + (dim + 7) / 8 * 8, std::int8_t{0});
  coded.zero = greatest == 0.0;
  if (coded.zero) return coded;
  std::frexp(greatest, &coded.exponent);
  const double power = std::ldexp(1.0, -coded.exponent);
  for (std::size_t d = 0; d < dim; ++d) z[d] *= power;
  const float step = round_up(greatest * power / 127.0);
  round_codes(z, dim, static_cast<double>(step), codes);
  const Part first(z, codes, prefix, step), tail(z + prefix, codes + prefix, dim - prefix, step);
  const Part whole(first, tail);
  coded.coarse = {16.0f * step, 15 * (whole.sum / 2), whole.factor(), kLeastSum};
  coded.fine = {step, 128 * whole.sum, whole.factor(), kLeastSum};
  coded.prefix = {step, 128 * first.sum, first.factor(), kLeastSum};
  coded.tail = round_up(std::sqrt(tail.norm2) * (1.0 + 0x1p-20));
  return coded;
}

}  // namespace twotower
