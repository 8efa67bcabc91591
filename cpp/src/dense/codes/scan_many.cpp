// scan_many: a tile of queries, where multiplying costs most.
#include <algorithm>
#include <cmath>

#include "dense/codes/exact_best.h"
#include "dense/codes/scan.h"

namespace twotower {
namespace {

using kernels::kCodePanel;
using kernels::kCodeRows;

constexpr std::size_t kTileRows = 256;  // sums of 256 queries and these rows: 256 KiB
constexpr std::size_t kExactLot = 16;
constexpr std::size_t kRoom = 64;  // candidates beyond k: few keep the threshold fresh

struct Candidate {
  double upper;
  double lower;
  std::uint32_t doc;
};

// What may be among the best of one query. Invariant: every row seen so far is here or was below the threshold.
class Pool {
 public:
  Pool(CodedSearch& search, std::size_t q)
      : search_(search), query_(search.coded[q]), floor_(search.floors[q]), q_(q), room_(search.k + kRoom) {}

  float threshold() noexcept {
    const float now = floor_.get();
    if (now != known_floor_) threshold_ = query_.threshold(known_floor_ = now);
    return threshold_;
  }

  void offer(std::uint32_t doc, std::int32_t sum) {
    if (!search_.is_allowed(doc)) return;
    const double score = middle(query_.fine, sum, search_.codes.scales[doc]);
    const double error = static_cast<double>(query_.fine.factor) * search_.codes.fine_radii[doc];
    candidates_.push_back({score + error, score - error, doc});
    if (candidates_.size() >= room_) shrink();
  }

  // Scores what is left by the definition, the greatest upper ends first.
  std::vector<ScoredDoc> take() {
    ExactBest best(search_.kernels, search_.vectors, search_.queries + q_ * search_.vectors.dim, search_.k);
    raise();
    std::sort(candidates_.begin(), candidates_.end(),
              [](const Candidate& a, const Candidate& b) { return a.upper > b.upper; });
    std::uint32_t docs[kExactLot];
    for (std::size_t i = 0; i < candidates_.size();) {
      const double least = static_cast<double>(threshold());
      std::size_t n = 0;
      for (; n < kExactLot && i < candidates_.size() && !(candidates_[i].upper < least); ++i) {
        docs[n++] = candidates_[i].doc;
      }
      if (n == 0) break;
      best.score(docs, n);
      floor_.raise(best.kth());
    }
    search_.n_rescored += best.n_scored();
    return best.take();
  }

 private:
  void raise() {
    if (candidates_.size() < search_.k || search_.k == 0) return;
    const auto kth = candidates_.begin() + static_cast<std::ptrdiff_t>(search_.k - 1);
    std::nth_element(candidates_.begin(), kth, candidates_.end(),
                     [](const Candidate& a, const Candidate& b) { return a.lower > b.lower; });
    floor_.raise(query_.floor(kth->lower));
  }

  // Drops what the threshold, raised by the k-th best lower end, now decides; grows if that was less than half.
  void shrink() {
    raise();
    const double least = static_cast<double>(threshold());
    std::erase_if(candidates_, [&](const Candidate& c) { return c.upper < least; });
    room_ = std::max(room_, 2 * candidates_.size());
  }

  CodedSearch& search_;
  const CodedQuery& query_;
  SharedFloor& floor_;
  std::size_t q_;
  std::size_t room_;
  float known_floor_ = -std::numeric_limits<float>::infinity();
  float threshold_ = -std::numeric_limits<float>::infinity();
  std::vector<Candidate> candidates_;
};

// The codes of n queries as byte_sums takes them; the last panel is filled up with zeros.
std::vector<std::int8_t> pack_panels(const CodedSearch& search, std::size_t first, std::size_t n) {
  const std::size_t pitch = search.n_groups() * kernels::kCodeGroup;
  std::vector<std::int8_t> panels((n + kCodePanel - 1) / kCodePanel * kCodePanel * pitch);
  for (std::size_t q = 0; q < n; ++q) {
    const std::int8_t* codes = search.codes_of(first + q);
    std::int8_t* panel = &panels[q / kCodePanel * kCodePanel * pitch + q % kCodePanel * 4];
    for (std::size_t d = 0; d < pitch; ++d) panel[d / 4 * 4 * kCodePanel + d % 4] = codes[d];
  }
  return panels;
}

}  // namespace

std::vector<std::vector<ScoredDoc>> scan_many(CodedSearch& search, std::size_t first, std::size_t n, RowRange rows) {
  const kernels::CodesKernels& kernels = search.kernels.codes;
  std::vector<Pool> pools;
  for (std::size_t q = first; q < first + n; ++q) pools.emplace_back(search, q);
  const std::vector<std::int8_t> panels = pack_panels(search, first, n);
  const std::size_t n_panels = (n + kCodePanel - 1) / kCodePanel;
  std::vector<std::int32_t> sums(n_panels * kCodePanel * kTileRows);
  std::vector<std::uint32_t> found(kTileRows);
  search.n_scanned += n * rows.size();
  for (std::size_t doc = rows.begin; doc < rows.end; doc += kTileRows) {
    const std::size_t size = std::min(kTileRows, rows.end - doc), at = search.byte_of(doc);
    kernels.byte_sums(panels.data(), n_panels, search.n_groups(), search.codes.high + at, search.codes.low + at,
                      (size + kCodeRows - 1) / kCodeRows, sums.data(), kTileRows);
    const float* scales = search.codes.scales + doc;
    const float* radii = search.codes.fine_radii + doc;
    const float scale = *std::max_element(scales, scales + size), radius = *std::max_element(radii, radii + size);
    for (std::size_t q = 0; q < n; ++q) {
      const std::int32_t* row = &sums[q * kTileRows];
      const float threshold = pools[q].threshold();
      kernels::CodeLine line = search.coded[first + q].fine;
      line.least = least_sum(line, threshold, scale, radius);
      const std::size_t n_found = kernels.select_sums(row, scales, radii, size, line, threshold, found.data());
      for (std::size_t i = 0; i < n_found; ++i) {
        pools[q].offer(static_cast<std::uint32_t>(doc + found[i]), row[found[i]]);
      }
    }
  }
  std::vector<std::vector<ScoredDoc>> results;
  for (Pool& pool : pools) results.push_back(pool.take());
  return results;
}

}  // namespace twotower
