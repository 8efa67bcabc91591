// scan_panels: a tile of queries in panels, compared while the sums are in registers.
#include <algorithm>
#include <bit>
#include <cstring>

#include "dense/codes/candidates.h"
#include "dense/codes/scan.h"

namespace twotower {
namespace {

using kernels::kCodeRows;
using kernels::kHitLanes;
using kernels::kHitRows;
using kernels::kMaxHitWidth;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::size_t kLine = 64;
constexpr std::size_t kRefresh = 64;  // batches after which what other threads found is asked for

// Bytes that begin at a cache line.
class Aligned {
 public:
  explicit Aligned(std::size_t size) : room_(size + kLine) {}
  std::uint8_t* get() noexcept {
    return room_.data() + (kLine - reinterpret_cast<std::uintptr_t>(room_.data()) % kLine) % kLine;
  }

 private:
  std::vector<std::uint8_t> room_;
};

class PanelScan {
 public:
  PanelScan(CodedSearch& search, std::size_t first, std::size_t n)
      : search_(search),
        kernels_(search.kernels.codes.panels),
        n_(n),
        width_((n + kHitLanes - 1) / kHitLanes * kHitLanes),
        panels_(width_ * search.n_groups() * kernels::kCodeGroup),
        bytes_(kHitRows * search.n_groups() * kernels::kCodeGroup),
        sums_(kHitRows * kMaxHitWidth),
        unit_(width_ + kMaxHitWidth),
        factor_(unit_),
        threshold_(unit_.size(), kInfinity),
        offset_(unit_.size()),
        asked_(n / kMaxHitWidth + 1) {
    for (std::size_t q = 0; q < n; ++q) {
      const CodedQuery& query = search.coded[first + q];
      candidates_.emplace_back(search, first + q);
      if (query.zero) continue;  // answered without a scan
      asked_[q / kMaxHitWidth] |= std::uint64_t{1} << q % kMaxHitWidth;
      unit_[q] = query.fine.unit;
      factor_[q] = query.fine.factor;
      offset_[q] = query.fine.offset;
    }
    refresh();
    lay_out(first);
  }

  void scan(RowRange rows) {
    std::size_t batch = 0;
    for (std::size_t doc = rows.begin; doc < rows.end; doc += kHitRows, ++batch) {
      if (batch % kRefresh == 0) refresh();
      const std::size_t size = std::min(kHitRows, rows.end - doc), at = search_.byte_of(doc);
      kernels_.join(search_.codes.high + at, search_.codes.low + at, search_.n_groups(),
                    (size + kCodeRows - 1) / kCodeRows, bytes_.get());
      read_limits(doc, size);
      for (std::size_t q = 0; q < n_; q += kMaxHitWidth) scan_panel(q, doc, size);
    }
  }

  std::vector<std::vector<ScoredDoc>> take() {
    std::vector<std::vector<ScoredDoc>> results;
    for (Candidates& candidates : candidates_) results.push_back(candidates.take());
    return results;
  }

 private:
  std::size_t width_of(std::size_t q) const noexcept { return std::min(kMaxHitWidth, width_ - q); }

  void lay_out(std::size_t first) {
    const std::size_t pitch = search_.n_groups() * kernels::kCodeGroup;
    for (std::size_t q = 0; q < n_; ++q) {
      const std::size_t panel = q / kMaxHitWidth * kMaxHitWidth;
      const std::int8_t* codes = search_.codes_of(first + q);
      std::uint8_t* out = panels_.get() + panel * pitch + (q - panel) * 4;
      for (std::size_t d = 0; d < pitch; d += 4) std::memcpy(out + d * width_of(panel), codes + d, 4);
    }
  }

  void refresh() {
    for (std::size_t q = 0; q < n_; ++q) {
      if (factor_[q] != 0.0f) threshold_[q] = candidates_[q].threshold();
    }
  }

  // What is beyond the last row is never looked at.
  void read_limits(std::size_t doc, std::size_t size) {
    std::copy_n(search_.codes.scales + doc, size, scales_);
    std::copy_n(search_.codes.fine_radii + doc, size, radii_);
  }

  void scan_panel(std::size_t q, std::size_t doc, std::size_t size) {
    const std::size_t pitch = search_.n_groups() * kernels::kCodeGroup, width = width_of(q);
    // The first panel fetches the next batch meanwhile; for the others it is there already.
    const std::size_t next = search_.byte_of(doc + kHitRows);
    kernels_.hits(panels_.get() + q * pitch, width, bytes_.get(), search_.n_groups(), scales_, radii_,
                  {&unit_[q], &offset_[q], &factor_[q], &threshold_[q]},
                  {search_.codes.high + next, search_.codes.low + next}, masks_, sums_.data());
    for (std::size_t r = 0; r < size; ++r) {
      for (std::uint64_t mask = masks_[r] & asked_[q / kMaxHitWidth]; mask != 0; mask &= mask - 1) {
        const auto w = static_cast<std::size_t>(std::countr_zero(mask));
        candidates_[q + w].offer(static_cast<std::uint32_t>(doc + r), sums_[r * width + w]);
        threshold_[q + w] = candidates_[q + w].threshold();
      }
    }
  }

  CodedSearch& search_;
  const kernels::CodesHits& kernels_;
  std::size_t n_;
  std::size_t width_;
  Aligned panels_;
  Aligned bytes_;
  std::vector<std::int32_t> sums_;
  std::vector<float> unit_, factor_, threshold_;
  std::vector<std::int32_t> offset_;
  std::vector<std::uint64_t> asked_;  // by panel: the queries that are there and not zero
  std::vector<Candidates> candidates_;
  float scales_[kHitRows] = {}, radii_[kHitRows] = {};
  std::uint64_t masks_[kHitRows] = {};
};

}  // namespace

std::vector<std::vector<ScoredDoc>> scan_panels(CodedSearch& search, std::size_t first, std::size_t n, RowRange rows) {
  search.n_scanned += n * rows.size();
  PanelScan scan(search, first, n);
  scan.scan(rows);
  return scan.take();
}

}  // namespace twotower
