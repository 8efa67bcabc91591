// Every runnable instruction set's dense kernels against plain float64: odd sizes, rows at any address, all storages.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "dense/query_limits.h"
#include "kernels/dispatch.h"

using namespace twotower;
using kernels::Kernels;
using kernels::QueryLimit;
using kernels::ScanKernels;

namespace {

constexpr std::size_t kDims[] = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 130, 257};
constexpr float kInf = std::numeric_limits<float>::infinity();

double exact_dot(const float* a, const float* b, std::size_t n) {
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

double exact_distance(const float* a, const float* b, std::size_t n) {
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return sum;
}

template <class Test>
void on_every_isa(Test&& test) {
  for (const Kernels* kernels : kernels::runnable()) {
    CAPTURE(kernels->name);
    test(*kernels);
  }
}

// Rows of one storage, each in an allocation of its own at an odd address, so that ASan sees every read past an end.
struct Rows {
  Rows(const Kernels& kernels, int storage, std::size_t n, std::size_t dim, unsigned seed) : dim_(dim) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    const std::size_t bytes = dim * (storage == 0 ? 4 : storage == 3 ? 1 : 2);
    for (std::size_t r = 0; r < n; ++r) {
      std::vector<unsigned char> room(bytes + 1);
      values.emplace_back(dim);
      for (std::size_t d = 0; d < dim; ++d) {
        const float x = normal(generator);
        if (storage == 0) std::memcpy(&room[1 + 4 * d], &x, 4);
        std::uint32_t bits;
        std::memcpy(&bits, &x, 4);
        const auto half = static_cast<std::uint16_t>(storage == 1 ? bits >> 16 : 0x3000 + (bits & 0x8FFF));
        if (storage == 1 || storage == 2) std::memcpy(&room[1 + 2 * d], &half, 2);
        if (storage == 3) room[1 + d] = static_cast<unsigned char>(bits >> 3);
      }
      rooms.push_back(room);
    }
    for (std::size_t r = 0; r < n; ++r) {
      rows.push_back(rooms[r].data() + 1);
      const kernels::ExactKernels& exact = kernels.dense.exact;
      if (storage == 0) std::memcpy(values[r].data(), rows[r], bytes);
      if (storage == 1) exact.widen_bfloat16(rows[r], dim, values[r].data());
      if (storage == 2) exact.widen_float16(rows[r], dim, values[r].data());
      if (storage == 3) exact.widen_int8(rows[r], dim, values[r].data());
    }
  }
  const float* at(std::size_t r) const { return values[r].data(); }
  double norm(std::size_t r) const { return std::sqrt(exact_dot(at(r), at(r), dim_)); }

  std::size_t dim_;
  std::vector<std::vector<unsigned char>> rooms;
  std::vector<const void*> rows;
  std::vector<std::vector<float>> values;
};

const ScanKernels& scan_of(const Kernels& kernels, int storage) {
  const kernels::DenseKernels& dense = kernels.dense;
  return storage == 0 ? dense.float32 : storage == 1 ? dense.bfloat16 : storage == 2 ? dense.float16 : dense.int8;
}

struct Query {
  Query(const ScanKernels& scan, std::size_t dim, unsigned seed) : values(dim), units(dim + 16) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    for (float& value : values) value = normal(generator);
    const double lost = round_query(values.data(), dim, scan.form, units.data(), limit.unit);
    limit.factor = QueryBound(values.data(), dim, scan.form, lost, Metric::kInnerProduct).factor();
  }
  std::vector<float> values;
  std::vector<std::uint32_t> units;
  QueryLimit limit{};
};

// Rows side by side as scan_panel reads them, and what makes their integer sums right.
struct PanelRows {
  PanelRows(const ScanKernels& scan, const Rows& rows, std::size_t n, int storage, std::size_t dim)
      : bytes((scan.widened || storage == 0 ? 4
               : storage == 3               ? 1
                                            : 2) *
              dim),
        stride((bytes + 3) / 4 * 4 + 4) {
    room.resize(n * stride);
    for (std::size_t r = 0; r < n; ++r) {
      std::memcpy(&room[r * stride], scan.widened ? static_cast<const void*>(rows.at(r)) : rows.rows[r], bytes);
      start.push_back(0);
      if (storage == 3) {
        for (const float value : rows.values[r]) start[r] -= 128 * static_cast<std::int32_t>(value);
      }
    }
  }
  std::size_t bytes, stride;
  std::vector<unsigned char> room;
  std::vector<std::int32_t> start;
};

// A threshold just below score - 2 * error must let a row pass, one above score + 2 * error must not: so the product is
// right within the bound, and scale, norm and offset enter as they should.
void check_row(std::uint64_t low, std::uint64_t high, std::size_t r) {
  REQUIRE((low >> r & 1) == 1);
  REQUIRE((high >> r & 1) == 0);
}

}  // namespace

TEST_CASE("scan_rows and scan_panel let pass what the bound asks for, and no more") {
  on_every_isa([](const Kernels& k) {
    for (int storage = 0; storage < 4; ++storage) {
      const ScanKernels& scan = scan_of(k, storage);
      for (const std::size_t dim : kDims) {
        for (std::size_t width = scan.lanes; width <= scan.max_width; width += scan.lanes) {
          CAPTURE(storage);
          CAPTURE(dim);
          CAPTURE(width);
          const std::size_t n_rows = 27;
          const Rows rows(k, storage, n_rows, dim, static_cast<unsigned>(dim));
          const PanelRows side_by_side(scan, rows, n_rows, storage, dim);
          std::vector<Query> queries;
          for (unsigned q = 0; q < width; ++q) queries.emplace_back(scan, dim, 100 + q);
          const std::size_t n_units = queries[0].units.size();
          std::vector<std::uint32_t> room(n_units * width + 16);
          std::uint32_t* panel = room.data() + (64 - reinterpret_cast<std::uintptr_t>(room.data()) % 64) % 64 / 4;
          for (std::size_t q = 0; q < width; ++q) {
            for (std::size_t u = 0; u < n_units; ++u) panel[u * width + q] = queries[q].units[u];
          }
          // One row at a time has a norm that is right; the rest are far below any threshold.
          for (std::size_t r = 0; r < n_rows; r += 1 + dim / 20) {
            std::vector<float> scale(n_rows, 0.5f), norm(n_rows, 0.0f), offset(n_rows, -1e30f);
            norm[r] = static_cast<float>(rows.norm(r)) * 0.5f;
            offset[r] = 2.0f;
            const kernels::RowLimits limits{scale.data(), norm.data(), offset.data(), side_by_side.start.data()};
            std::vector<float> unit(width), factor(width), low(width), high(width);
            for (std::size_t q = 0; q < width; ++q) {
              QueryLimit limit = queries[q].limit;
              const double score = 0.5 * exact_dot(queries[q].values.data(), rows.at(r), dim) + 2.0;
              const double error = 2.001 * static_cast<double>(limit.factor) * static_cast<double>(norm[r]);
              unit[q] = limit.unit;
              factor[q] = limit.factor;
              low[q] = limit.threshold = static_cast<float>(score) - 1e-5f;
              const void* query = queries[q].units.data();
              const std::uint64_t passes = scan.scan_rows(query, rows.rows.data(), n_rows, dim, limits, limit);
              high[q] = limit.threshold = static_cast<float>(score + error) + 1e-5f;
              check_row(passes, scan.scan_rows(query, rows.rows.data(), n_rows, dim, limits, limit), r);
            }
            std::vector<std::uint64_t> passing(n_rows), failing(n_rows);
            scan.scan_panel(panel, width, side_by_side.room.data(), side_by_side.stride, n_rows, dim, limits,
                            {unit.data(), factor.data(), low.data()}, panel, passing.data());
            scan.scan_panel(panel, width, side_by_side.room.data(), side_by_side.stride, n_rows, dim, limits,
                            {unit.data(), factor.data(), high.data()}, panel, failing.data());
            for (std::size_t q = 0; q < width; ++q) check_row(passing[r], failing[r], q);
          }
        }
      }
    }
  });
}

TEST_CASE("a row whose norm is infinite or NaN passes every threshold") {
  on_every_isa([](const Kernels& k) {
    for (int storage = 0; storage < 4; ++storage) {
      const ScanKernels& scan = scan_of(k, storage);
      const Rows rows(k, storage, 5, 9, 1);
      const Query query(scan, 9, 2);
      const float scale[] = {1, 1, 1, 1, 1}, norm[] = {kInf, 1, NAN, 1, kInf}, offset[] = {0, -kInf, 0, 0, -kInf};
      const std::int32_t start[5] = {};
      QueryLimit limit = query.limit;
      limit.threshold = 3e38f;
      CHECK(scan.scan_rows(query.units.data(), rows.rows.data(), 5, 9, {scale, norm, offset, start}, limit) == 0b10101);
      limit.factor = NAN;
      CHECK(scan.scan_rows(query.units.data(), rows.rows.data(), 5, 9, {scale, norm, offset, start}, limit) == 0b11111);
    }
  });
}

TEST_CASE("exact sums are bit-equal to the definition, also where float32 would overflow, underflow or cancel") {
  on_every_isa([](const Kernels& k) {
    for (const float scale : {1.0f, 1e20f, 1e38f, 1e-30f, 1e-40f}) {
      for (const std::size_t dim : kDims) {
        Rows rows(k, 0, 43, dim, 4);
        Query query(k.dense.float32, dim, 5);
        std::vector<const float*> pointers;
        for (auto& row : rows.values) {
          for (std::size_t d = 0; d < dim; d += 3) row[d] = std::clamp(row[d], -3.0f, 3.0f) * scale;
          pointers.push_back(row.data());
        }
        for (const std::size_t n : {0u, 1u, 7u, 8u, 9u, 16u, 17u, 25u, 43u}) {
          std::vector<double> dots(n), distances(n);
          k.dense.exact.dot(query.values.data(), pointers.data(), n, dim, dots.data());
          k.dense.exact.squared_distance(query.values.data(), pointers.data(), n, dim, distances.data());
          for (std::size_t r = 0; r < n; ++r) {
            REQUIRE(dots[r] == exact_dot(query.values.data(), pointers[r], dim));
            REQUIRE(distances[r] == exact_distance(query.values.data(), pointers[r], dim));
          }
        }
      }
    }
  });
}

TEST_CASE("widening: every bfloat16, float16 and int8, bit for bit") {
  on_every_isa([](const Kernels& k) {
    std::vector<std::uint16_t> bits(65536);
    for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i);
    std::vector<float> wide(bits.size()), half(bits.size());
    k.dense.exact.widen_bfloat16(bits.data(), bits.size(), wide.data());
    k.dense.exact.widen_float16(bits.data(), bits.size(), half.data());
    for (std::uint32_t i = 0; i < bits.size(); ++i) {
      const std::uint32_t expected = i << 16;
      REQUIRE(std::memcmp(&wide[i], &expected, 4) == 0);
      const int exponent = static_cast<int>(i >> 10 & 31);
      const double fraction = static_cast<double>(i & 1023) / 1024;
      const double magnitude = exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15);
      if (exponent < 31) REQUIRE(static_cast<double>(half[i]) == (i >> 15 ? -magnitude : magnitude));
      if (exponent == 31) REQUIRE(!std::isfinite(half[i]));
    }
    std::vector<std::int8_t> bytes(256);
    for (std::size_t i = 0; i < 256; ++i) bytes[i] = static_cast<std::int8_t>(i);
    k.dense.exact.widen_int8(bytes.data(), 256, wide.data());
    for (std::size_t i = 0; i < 256; ++i) REQUIRE(wide[i] == static_cast<float>(bytes[i]));
  });
}
