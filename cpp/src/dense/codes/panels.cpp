#include "dense/codes/panels.h"

#include <cstring>
#include <limits>

namespace twotower {

using kernels::kHitLanes;
using kernels::kMaxHitWidth;

Panels::Panels(const CodedSearch& search, std::size_t first, std::size_t n)
    : pitch_(search.n_groups() * kernels::kCodeGroup),
      width_((n + kHitLanes - 1) / kHitLanes * kHitLanes),
      codes_(width_ * pitch_),
      per_unit_(width_),
      threshold_(width_, std::numeric_limits<float>::infinity()),
      whole_(width_),
      prefix_(width_),
      tail_offset_(width_),
      asked_(n / kMaxHitWidth + 1) {
  for (std::size_t q = 0; q < n; ++q) {
    lay_out(search.codes_of(first + q), q);
    const CodedQuery& query = search.coded[first + q];
    if (query.zero) continue;
    asked_[q / kMaxHitWidth] |= std::uint64_t{1} << q % kMaxHitWidth;
    per_unit_[q] = 1.0 / static_cast<double>(query.fine.unit);
    whole_.set(q, query.fine, 0.0f, per_unit_[q]);
    tail_offset_[q] = query.fine.offset - query.prefix.offset;
    prefix_.set(q, query.prefix, query.tail, per_unit_[q]);
  }
}

void Panels::lay_out(const std::int8_t* codes, std::size_t q) {
  const std::size_t panel = q / kMaxHitWidth * kMaxHitWidth;
  std::uint8_t* out = codes_.get() + panel * pitch_ + (q - panel) * 4;
  for (std::size_t d = 0; d < pitch_; d += 4) std::memcpy(out + d * width(panel), codes + d, 4);
}

}  // namespace twotower
