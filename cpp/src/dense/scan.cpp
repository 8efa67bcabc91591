#include "dense/scan.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace twotower {
namespace {

constexpr std::size_t kPanelRows = 48;  // of a batch: a multiple of the rows that any kernel takes at once
constexpr std::size_t kUnit = 4;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Rows that begin at the same place of many pages would share a few lines of the L1 cache.
bool collides(std::size_t stride) { return stride % 2048 == 0; }

std::size_t padded(std::size_t bytes) {
  const std::size_t stride = (bytes + 63) / 64 * 64;
  return collides(stride) ? stride + 64 : stride;
}

}  // namespace

Scan::Scan(const kernels::Kernels& kernels, const DenseView& view, const PreparedQueries& prepared,
           const float* queries, std::size_t k, const std::uint64_t* where, bool panels)
    : kernels_(kernels),
      scan_(scan_kernels(kernels, view.vectors)),
      view_(view),
      prepared_(prepared),
      where_(where),
      panels_(panels),
      thresholds_(prepared.size() + kernels::kMaxPanelWidth, kInfinity) {
  best_.reserve(prepared.size());
  for (std::size_t q = 0; q < prepared.size(); ++q) {
    best_.emplace_back(kernels, view, queries + q * view.vectors.dim, k);
    thresholds_[q] = -kInfinity;
  }
}

void Scan::scan(std::size_t begin, std::size_t end) { panels_ ? scan_panels(begin, end) : scan_rows(begin, end); }

void Scan::offer(std::size_t q, std::uint32_t doc) {
  const float before = best_[q].threshold();
  best_[q].offer(doc);
  if (best_[q].threshold() != before) thresholds_[q] = prepared_.bound(q).threshold(best_[q].threshold());
}

void Scan::scan_rows(std::size_t begin, std::size_t end) {
  RowBatches batch(view_, where_, begin, end, kernels::kMaxScanRows);
  while (batch.advance()) {
    for (std::size_t q = 0; q < best_.size(); ++q) {
      const kernels::QueryLimit limit{prepared_.units()[q], prepared_.factors()[q], thresholds_[q]};
      std::uint64_t mask =
          scan_.scan_rows(prepared_.row(q), batch.rows(), batch.size(), view_.vectors.dim, batch.limits(), limit);
      for (; mask != 0; mask &= mask - 1) offer(q, batch.doc(static_cast<std::size_t>(std::countr_zero(mask))));
    }
  }
}

void Scan::scan_panels(std::size_t begin, std::size_t end) {
  RowBatches batch(view_, where_, begin, end, kPanelRows);
  while (batch.advance()) {
    gather(batch);
    for (const QueryPanel& panel : prepared_.panels()) {
      // The first panel fetches the next batch meanwhile; for the others, what they fetch is there already.
      scan_panel(panel, batch, panel.first == 0 ? batch.ahead() : rows_);
    }
  }
}

void Scan::scan_panel(const QueryPanel& panel, const RowBatches& batch, const void* ahead) {
  std::uint64_t masks[kPanelRows];
  const std::size_t q = panel.first;
  const kernels::PanelLimits limits{&prepared_.units()[q], &prepared_.factors()[q], &thresholds_[q]};
  scan_.scan_panel(panel.units, panel.width, rows_, stride_, batch.size(), view_.vectors.dim, batch.limits(), limits,
                   ahead, masks);
  const std::uint64_t present = (std::uint64_t{1} << panel.n) - 1;
  for (std::size_t r = 0; r < batch.size(); ++r) {
    for (std::uint64_t mask = masks[r] & present; mask != 0; mask &= mask - 1) {
      offer(q + static_cast<std::size_t>(std::countr_zero(mask)), batch.doc(r));
    }
  }
}

// Lets the kernel read rows where they lie, or copies them side by side: widened, or with zeros up to a whole unit.
void Scan::gather(const RowBatches& batch) {
  const StoredVectors& vectors = view_.vectors;
  const bool widen = scan_.widened && vectors.storage != Storage::kFloat32;
  const std::size_t bytes = vectors.row_bytes();
  if (!widen && batch.contiguous() && bytes % kUnit == 0 && !collides(bytes)) {
    rows_ = batch.rows()[0];
    stride_ = bytes;
    return;
  }
  stride_ = padded(widen ? vectors.dim * sizeof(float) : bytes);
  room_.resize(kPanelRows * stride_);
  rows_ = room_.data();
  const kernels::ExactKernels& exact = kernels_.dense.exact;
  for (std::size_t r = 0; r < batch.size(); ++r) {
    unsigned char* out = room_.data() + r * stride_;
    const void* row = batch.rows()[r];
    if (!widen) {
      std::memcpy(out, row, bytes);
    } else {
      (vectors.storage == Storage::kBfloat16  ? exact.widen_bfloat16
       : vectors.storage == Storage::kFloat16 ? exact.widen_float16
                                              : exact.widen_int8)(row, vectors.dim, reinterpret_cast<float*>(out));
    }
  }
}

}  // namespace twotower
