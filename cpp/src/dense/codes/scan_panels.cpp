// scan_panels: a tile of queries in panels, compared while the sums are in registers.
#include <algorithm>
#include <bit>

#include "dense/codes/candidates.h"
#include "dense/codes/panels.h"
#include "dense/codes/scan.h"

namespace twotower {
namespace {

using kernels::kCodeGroup;
using kernels::kCodeRows;
using kernels::kHitRows;
using kernels::kMaxHitWidth;

constexpr std::size_t kRefresh = 64;               // batches after which what other threads found is asked for
constexpr std::size_t kDimsOfCompletion = 3500;    // a row's tail costs about as much as products of so many dimensions
constexpr std::size_t kLongestPause = 64;          // batches

// When a panel multiplies the prefix alone. Each attempt that leaves too much doubles the batches until the next one.
class Attempts {
 public:
  bool now() noexcept { return left_ == 0 || --left_ == 0; }
  void succeeded() noexcept { pause_ = 1; }
  void failed() noexcept {
    left_ = pause_;
    pause_ = std::min(2 * pause_, kLongestPause);
  }

 private:
  std::size_t left_ = 0;
  std::size_t pause_ = 1;
};

class PanelScan {
 public:
  PanelScan(CodedSearch& search, std::size_t first, std::size_t n)
      : search_(search),
        kernels_(search.kernels.codes.panels),
        first_(first),
        panels_(search, first, n),
        bytes_(kHitRows * search.n_groups() * kCodeGroup),
        sums_(kHitRows * kMaxHitWidth),
        attempts_(n / kMaxHitWidth + 1) {
    for (std::size_t q = first; q < first + n; ++q) candidates_.emplace_back(search, q);
  }

  void scan(RowRange rows) {
    std::size_t batch = 0;
    for (std::size_t doc = rows.begin; doc < rows.end; doc += kHitRows, ++batch) {
      if (batch % kRefresh == 0) refresh();
      const std::size_t size = std::min(kHitRows, rows.end - doc), at = search_.byte_of(doc);
      kernels_.join(search_.codes.high + at, search_.codes.low + at, search_.n_groups(),
                    (size + kCodeRows - 1) / kCodeRows, bytes_.get());
      read_limits(doc, size);
      for (std::size_t q = 0; q < candidates_.size(); q += kMaxHitWidth) scan_panel(q, doc, size);
    }
  }

  std::vector<std::vector<ScoredDoc>> take() {
    std::vector<std::vector<ScoredDoc>> results;
    for (Candidates& candidates : candidates_) results.push_back(candidates.take());
    search_.n_completed += n_completed_;
    return results;
  }

 private:
  void refresh() {
    for (std::size_t q = 0; q < candidates_.size(); ++q) {
      if (panels_.is_asked(q)) panels_.set_threshold(q, candidates_[q].threshold());
    }
  }

  // What is beyond the last row is never looked at.
  void read_limits(std::size_t doc, std::size_t size) {
    std::copy_n(search_.codes.scales + doc, size, scales_);
    std::copy_n(search_.codes.fine_radii + doc, size, radii_);
    std::copy_n(search_.codes.prefix_radii + doc, size, prefix_radii_);
    std::copy_n(search_.codes.tail_norms + doc, size, tails_);
  }

  void scan_panel(std::size_t q, std::size_t doc, std::size_t size) {
    find_hits(q, doc, search_.n_groups(), whole_, panels_.whole(q));
    for_each_hit(q, size, [&](std::size_t r, std::size_t query, std::int32_t sum) { offer(query, doc + r, sum); });
  }

  // False, and nothing is done, where the prefix leaves so much that whole bytes cost less.
  bool scan_prefix(std::size_t q, std::size_t doc, std::size_t size) {
    find_hits(q, doc, search_.n_prefix_groups(), prefix_, panels_.prefix(q));
    std::size_t n = 0;
    for (std::size_t r = 0; r < size; ++r) {
      if (masks_[r] != 0) n += static_cast<std::size_t>(std::popcount(masks_[r] & panels_.asked(q)));
    }
    const std::size_t tail = (search_.n_groups() - search_.n_prefix_groups()) * kCodeGroup;
    if (n * kDimsOfCompletion > kHitRows * panels_.width(q) * tail) {
      attempts_[q / kMaxHitWidth].failed();
      return false;
    }
    attempts_[q / kMaxHitWidth].succeeded();
    for_each_hit(q, size, [&](std::size_t r, std::size_t query, std::int32_t sum) {
      if (!candidates_[query].may_reach(doc + r, sum)) return;
      ++n_completed_;
      offer(query, doc + r, sum + tail_sum(query, r));
    });
    return true;
  }

  // The first panel fetches the next batch meanwhile; for the others it is there already.
  void find_hits(std::size_t q, std::size_t doc, std::size_t n_groups, const kernels::CodeLimits& limits,
                 const kernels::CodeLines& lines) {
    const std::size_t next = search_.byte_of(doc + kHitRows);
    const std::size_t step = (2 * search_.n_groups() + search_.n_prefix_groups() - 1) / search_.n_prefix_groups();
    kernels_.hits(panels_.codes(q), panels_.width(q), bytes_.get(), n_groups, search_.n_prefix_groups(), limits, lines,
                  {search_.codes.high + next, search_.codes.low + next, step}, masks_, sums_.data());
  }

  template <typename Visit>
  void for_each_hit(std::size_t q, std::size_t size, Visit visit) {
    const std::size_t width = panels_.width(q);
    for (std::size_t r = 0; r < size; ++r) {
      for (std::uint64_t mask = masks_[r] & panels_.asked(q); mask != 0; mask &= mask - 1) {
        const auto w = static_cast<std::size_t>(std::countr_zero(mask));
        visit(r, q + w, sums_[r * width + w]);
      }
    }
  }

  // What the tail of row r adds to a sum, without the query's offset.
  std::int32_t tail_sum(std::size_t q, std::size_t r) {
    const std::size_t begin = 2 * search_.n_prefix_groups(), end = 2 * search_.n_groups();
    const CodedQuery& query = search_.coded[first_ + q];
    const std::size_t block = r / kCodeRows * kCodeRows;
    std::int32_t sums[kCodeRows];
    kernels_.unit_sums(search_.codes_of(first_ + q) + 4 * begin, bytes_.get() + (begin * kHitRows + block) * 4,
                       end - begin, sums);
    return sums[r - block] - (query.fine.offset - query.prefix.offset);
  }

  void offer(std::size_t q, std::size_t doc, std::int32_t sum) {
    candidates_[q].offer(static_cast<std::uint32_t>(doc), sum);
    panels_.set_threshold(q, candidates_[q].threshold());
  }

  CodedSearch& search_;
  const kernels::CodesHits& kernels_;
  std::size_t first_;
  Panels panels_;
  AlignedBytes bytes_;
  std::vector<std::int32_t> sums_;
  std::vector<Attempts> attempts_;  // by panel
  std::vector<Candidates> candidates_;
  std::uint64_t n_completed_ = 0;
  float scales_[kHitRows] = {};
  float radii_[kHitRows] = {}, prefix_radii_[kHitRows] = {}, tails_[kHitRows] = {};
  kernels::CodeLimits whole_{scales_, radii_, prefix_radii_, tails_}, prefix_{whole_};
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
