// The oracle for inner products and their selection: what each kernel of kernels/dense.h means, in plain C++. Runs on
// any machine.
#include "kernels/dense.h"

namespace twotower::kernels::scalar {
namespace {

// ---------------------------------------------------------------- stored elements

float from_bits(std::uint32_t bits) noexcept {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

struct Float32 {
  using Element = float;
  static float widen(float value) noexcept { return value; }
};

struct Bfloat16 {
  using Element = std::uint16_t;
  static float widen(std::uint16_t bits) noexcept { return from_bits(static_cast<std::uint32_t>(bits) << 16); }
};

struct Float16 {
  using Element = std::uint16_t;
  static float widen(std::uint16_t bits) noexcept {
    const std::uint32_t sign = (bits & 0x8000u) << 16, magnitude = bits & 0x7FFFu;
    if (magnitude >= 0x7C00u) return from_bits(sign | 0x7F800000u | (magnitude & 0x3FFu) << 13);  // infinity, NaN
    // 2^-112 moves the exponent's bias, for denormals too: both factors are exact.
    const float value = from_bits(magnitude << 13) * 0x1p+112f;
    return sign == 0 ? value : -value;
  }
};

struct Int8 {
  using Element = std::int8_t;
  static float widen(std::int8_t value) noexcept { return static_cast<float>(value); }
};

// Element d of a row, wherever the row begins.
template <class Storage>
float widened(const void* row, std::size_t d) noexcept {
  typename Storage::Element element;
  __builtin_memcpy(&element, static_cast<const char*>(row) + d * sizeof element, sizeof element);
  return Storage::widen(element);
}

template <class Storage>
void widen(const void* row, std::size_t dim, float* values) noexcept {
  for (std::size_t d = 0; d < dim; ++d) values[d] = widened<Storage>(row, d);
}

// ---------------------------------------------------------------- products and limits

constexpr std::size_t kLanes = 8;

bool may_hit(float product, const RowLimits& rows, std::size_t r, const QueryLimit& limit) noexcept {
  const float rest = limit.factor * rows.norm[r] + rows.offset[r];
  return !(product * limit.unit * rows.scale[r] + rest <= limit.threshold);
}

void scan_panel(const void* queries, std::size_t width, const void* rows, std::size_t stride, std::size_t n_rows,
                std::size_t dim, const RowLimits& limits, const PanelLimits& panel, const void*,
                std::uint64_t* masks) noexcept {
  for (std::size_t r = 0; r < n_rows; ++r) {
    const char* row = static_cast<const char*>(rows) + r * stride;
    float sums[kLanes] = {};
    for (std::size_t d = 0; d < dim; ++d) {
      const float* column = static_cast<const float*>(queries) + d * width;
      for (std::size_t w = 0; w < kLanes; ++w) sums[w] += widened<Float32>(row, d) * column[w];
    }
    masks[r] = 0;
    for (std::size_t w = 0; w < kLanes; ++w) {
      const QueryLimit limit{panel.unit[w], panel.factor[w], panel.threshold[w]};
      masks[r] |= static_cast<std::uint64_t>(may_hit(sums[w], limits, r, limit)) << w;
    }
  }
}

template <class Storage>
float product(const void* query, const void* row, std::size_t dim, std::int32_t) noexcept {
  float sum = 0.0f;
  for (std::size_t d = 0; d < dim; ++d) sum += static_cast<const float*>(query)[d] * widened<Storage>(row, d);
  return sum;
}

template <class Storage>
std::uint64_t scan_rows(const void* query, const void* const* rows, std::size_t n_rows, std::size_t dim,
                        const RowLimits& limits, const QueryLimit& limit) noexcept {
  std::uint64_t mask = 0;
  for (std::size_t r = 0; r < n_rows; ++r) {
    const float sum = product<Storage>(query, rows[r], dim, 0);
    mask |= static_cast<std::uint64_t>(may_hit(sum, limits, r, limit)) << r;
  }
  return mask;
}

// ---------------------------------------------------------------- exact sums

void dot(const float* query, const float* const* rows, std::size_t n_rows, std::size_t dim, double* sums) noexcept {
  for (std::size_t r = 0; r < n_rows; ++r) {
    double sum = 0.0;
    for (std::size_t d = 0; d < dim; ++d) sum += static_cast<double>(query[d]) * static_cast<double>(rows[r][d]);
    sums[r] = sum;
  }
}

void squared_distance(const float* query, const float* const* rows, std::size_t n_rows, std::size_t dim,
                      double* sums) noexcept {
  for (std::size_t r = 0; r < n_rows; ++r) {
    double sum = 0.0;
    for (std::size_t d = 0; d < dim; ++d) {
      const double difference = static_cast<double>(query[d]) - static_cast<double>(rows[r][d]);
      sum += difference * difference;
    }
    sums[r] = sum;
  }
}

template <class Storage>
constexpr ScanKernels kScan{QueryForm::kFloat32, true, kLanes, kLanes, scan_panel, scan_rows<Storage>,
                            product<Storage>};

}  // namespace

const ExactKernels kDenseExact{dot, squared_distance, widen<Bfloat16>, widen<Float16>, widen<Int8>};
const ScanKernels kScanFloat32 = kScan<Float32>;
const ScanKernels kScanBfloat16 = kScan<Bfloat16>;
const ScanKernels kScanFloat16 = kScan<Float16>;
const ScanKernels kScanInt8 = kScan<Int8>;

}  // namespace twotower::kernels::scalar
