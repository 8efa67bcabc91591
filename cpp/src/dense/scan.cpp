#include "dense/scan.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace twotower {
namespace {

constexpr std::size_t kLine = 64;

// The first address of `room` that begins a cache line.
unsigned char* aligned(std::vector<unsigned char>& room) {
  const auto address = reinterpret_cast<std::uintptr_t>(room.data());
  return room.data() + (kLine - address % kLine) % kLine;
}

}  // namespace

Scan::Scan(const kernels::Kernels& kernels, const DenseView& view, const PreparedQueries& prepared,
           const float* queries, std::size_t k, const std::uint64_t* where, bool panels)
    : kernels_(scan_kernels(kernels, view.vectors)), view_(view), prepared_(prepared), where_(where), panels_(panels) {
  best_.reserve(prepared.size());
  for (std::size_t q = 0; q < prepared.size(); ++q) {
    best_.emplace_back(kernels, view, queries + q * view.vectors.dim, k);
    limits_.push_back(prepared.limit(q));
  }
  // A panel of float32 units, the widest there is.
  if (panels) room_.resize(view.vectors.dim * kernels_.panel_rows * sizeof(float) + kLine);
}

void Scan::scan(std::size_t begin, std::size_t end) { panels_ ? scan_panels(begin, end) : scan_rows(begin, end); }

void Scan::offer(std::size_t q, std::uint64_t mask, const RowBatches& batch) {
  TopK& best = best_[q];
  for (; mask != 0; mask &= mask - 1) best.offer(batch.doc(static_cast<std::size_t>(std::countr_zero(mask))));
  limits_[q].threshold = prepared_.bound(q).threshold(best.threshold());
}

void Scan::scan_rows(std::size_t begin, std::size_t end) {
  RowBatches batch(view_, where_, begin, end, kernels::kMaxScanRows);
  while (batch.advance()) {
    for (std::size_t q = 0; q < best_.size(); ++q) {
      const std::uint64_t mask = kernels_.scan_rows(prepared_.row(q), batch.rows(), batch.size(), view_.vectors.dim,
                                                    batch.limits(), limits_[q]);
      if (mask != 0) offer(q, mask, batch);
    }
  }
}

void Scan::scan_panels(std::size_t begin, std::size_t end) {
  RowBatches batch(view_, where_, begin, end, kernels_.panel_rows);
  const std::size_t dim = view_.vectors.dim, block = kernels_.block_queries;
  const std::size_t panel_bytes = kernels_.panel_rows * view_.vectors.row_bytes();
  unsigned char* panel = aligned(room_);
  while (batch.advance()) {
    kernels_.pack(batch.rows(), batch.size(), dim, panel);
    const std::uint64_t present = (std::uint64_t{1} << batch.size()) - 1;
    const char* ahead = batch.ahead();
    const char* const last = ahead + panel_bytes;
    for (std::size_t q = 0; q < best_.size(); q += block) {
      std::uint64_t masks[kernels::kMaxBlockQueries];
      const std::size_t n = std::min(block, best_.size() - q);
      kernels_.scan_panel(panel, prepared_.block(q / block), n, dim, batch.limits(), &limits_[q], ahead, masks);
      ahead = std::min(ahead + dim * kLine, last);
      for (std::size_t b = 0; b < n; ++b) {
        if ((masks[b] & present) != 0) offer(q + b, masks[b] & present, batch);
      }
    }
  }
}

}  // namespace twotower
