// scan_many: a tile of queries, where multiplying costs most.
#include <algorithm>
#include <cmath>

#include "dense/codes/candidates.h"
#include "dense/codes/scan.h"

namespace twotower {
namespace {

using kernels::kCodePanel;
using kernels::kCodeRows;

constexpr std::size_t kTileRows = 256;  // sums of 256 queries and these rows: 256 KiB

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
  if (kernels.panels.hits != nullptr) return scan_panels(search, first, n, rows);
  std::vector<Candidates> pools;
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
        pools[q].offer(static_cast<std::uint32_t>(doc + found[i]), row[found[i]] - line.offset);
      }
    }
  }
  std::vector<std::vector<ScoredDoc>> results;
  for (Candidates& pool : pools) results.push_back(pool.take());
  return results;
}

}  // namespace twotower
