#include "dense/scan.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "dense/row_stride.h"

namespace twotower {
namespace {

constexpr std::size_t kPanelRows = 48;  // of a batch: a multiple of the rows that any kernel takes at once
constexpr std::size_t kUnit = 4;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// A coded product saves some ns, and looking at a row again costs some tens: codes pay while they leave fewer than one
// row in so many beside those that are kept. Early rows and a large k keep many rows whatever the products were.
constexpr std::uint64_t kMostWaste = 32, kWasteOfKept = 4;
constexpr std::uint64_t kJudgedRows = 4096;  // at once

}  // namespace

Scan::Scan(const kernels::Kernels& kernels, const DenseView& view, const PreparedQueries& prepared,
           const PreparedQueries* coded, const float* queries, std::size_t k, const std::uint64_t* where,
           SharedFloors& floors, unsigned worker)
    : kernels_(kernels),
      scan_(scan_kernels(kernels, view.vectors)),
      view_(view),
      prepared_(prepared),
      multiplied_(coded == nullptr ? &prepared : coded),
      where_(where),
      floors_(floors),
      worker_(worker),
      thresholds_(prepared.size() + kernels::kMaxPanelWidth, kInfinity) {
  if (coded != nullptr) coded_.emplace(kernels, view.vectors);
  best_.reserve(prepared.size());
  for (std::size_t q = 0; q < prepared.size(); ++q) {
    best_.emplace_back(kernels, view, queries + q * view.vectors.dim, k, floors.share_of(k));
    thresholds_[q] = -kInfinity;
  }
}

void Scan::scan(std::size_t begin, std::size_t end) {
  for (std::size_t q = 0; q < best_.size(); ++q) learn_floor(q);
  prepared_.panels().empty() ? scan_rows(begin, end) : scan_panels(begin, end);
}

// What other threads found spares looking at rows here.
void Scan::learn_floor(std::size_t q) {
  if (floors_.get(q) <= best_[q].threshold()) return;
  best_[q].raise(floors_.get(q));
  thresholds_[q] = multiplied_->bound(q).threshold(best_[q].threshold());
}

// Row r of a batch may be a hit: a product of the stored row, which the cache still has, gives a narrow interval.
void Scan::offer(std::size_t q, const RowBatches& batch, std::size_t r) {
  const kernels::RowLimits& limits = batch.limits();
  const std::int32_t start = limits.start == nullptr ? 0 : limits.start[r];
  const float product = scan_.product(prepared_.row(q), batch.rows()[r], view_.vectors.dim, start);
  const double scaled =
      static_cast<double>(product) * static_cast<double>(prepared_.units()[q]) * static_cast<double>(limits.scale[r]);
  const Interval score = prepared_.bound(q).interval(scaled, limits.norm[r], limits.offset[r]);
  if (score.upper <= static_cast<double>(best_[q].threshold())) {
    ++n_wasted_;
    return;
  }
  ++n_kept_;
  if (!best_[q].offer(batch.doc(r), score)) return;
  floors_.raise(q, worker_, best_[q].threshold(), best_[q].share_threshold());
  best_[q].raise(floors_.get(q));
  thresholds_[q] = multiplied_->bound(q).threshold(best_[q].threshold());
}

void Scan::scan_rows(std::size_t begin, std::size_t end) {
  RowBatches batch(view_, where_, begin, end, kernels::kMaxScanRows);
  while (batch.advance()) {
    for (std::size_t q = 0; q < best_.size(); ++q) {
      const kernels::QueryLimit limit{prepared_.units()[q], prepared_.factors()[q], thresholds_[q]};
      std::uint64_t mask =
          scan_.scan_rows(prepared_.row(q), batch.rows(), batch.size(), view_.vectors.dim, batch.limits(), limit);
      for (; mask != 0; mask &= mask - 1) offer(q, batch, static_cast<std::size_t>(std::countr_zero(mask)));
    }
  }
}

void Scan::scan_panels(std::size_t begin, std::size_t end) {
  RowBatches batch(view_, where_, begin, end, kPanelRows);
  while (batch.advance()) {
    lay_out(batch);
    for (const QueryPanel& panel : multiplied_->panels()) {
      // The first panel fetches the next batch meanwhile; for the others, what they fetch is there already.
      scan_panel(panel, batch, panel.first == 0 ? batch.ahead() : rows_);
    }
    if (coded_) retreat_if_wasteful(batch.size());
  }
}

void Scan::scan_panel(const QueryPanel& panel, const RowBatches& batch, const void* ahead) {
  std::uint64_t masks[kPanelRows];
  const std::size_t q = panel.first;
  const kernels::PanelLimits limits{&multiplied_->units()[q], &multiplied_->factors()[q], &thresholds_[q]};
  const auto scan = coded_ ? kernels_.dense.int8.scan_panel : scan_.scan_panel;
  scan(panel.units, panel.width, rows_, stride_, batch.size(), view_.vectors.dim, limits_, limits, ahead, masks);
  const std::uint64_t present = (std::uint64_t{1} << panel.n) - 1;
  for (std::size_t r = 0; r < batch.size(); ++r) {
    for (std::uint64_t mask = masks[r] & present; mask != 0; mask &= mask - 1) {
      offer(q + static_cast<std::size_t>(std::countr_zero(mask)), batch, r);
    }
  }
}

void Scan::lay_out(const RowBatches& batch) {
  limits_ = batch.limits();
  if (!coded_) return gather(batch);
  coded_->code(batch);
  rows_ = coded_->rows();
  stride_ = coded_->stride();
  limits_ = coded_->limits();
}

// Where codes leave too many rows to be looked at again, the rest is multiplied as it is stored.
void Scan::retreat_if_wasteful(std::size_t n_rows) {
  n_coded_rows_ += n_rows;
  if (n_coded_rows_ < kJudgedRows) return;
  const bool wasteful = n_wasted_ * kMostWaste > n_coded_rows_ * best_.size() && n_wasted_ > n_kept_ * kWasteOfKept;
  n_coded_rows_ = n_wasted_ = n_kept_ = 0;
  if (!wasteful) return;
  coded_.reset();
  multiplied_ = &prepared_;
  for (std::size_t q = 0; q < best_.size(); ++q) thresholds_[q] = prepared_.bound(q).threshold(best_[q].threshold());
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
  stride_ = row_stride(widen ? vectors.dim * sizeof(float) : bytes);
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
