#include "word2vec/term_chances.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace twotower {
namespace {
constexpr double kTwo32 = 4294967296.0;
}

Subsampling::Subsampling(std::span<const std::uint64_t> counts, double t) : limits_(counts.size(), kAlways) {
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  for (std::size_t i = 0; i < counts.size() && t > 0; ++i) {
    if (counts[i] == 0) continue;
    const double rare = t * total / static_cast<double>(counts[i]);
    const double kept = std::sqrt(rare) + rare;
    if (kept < 1) limits_[i] = static_cast<std::uint64_t>(kept * kTwo32);
  }
}

NegativeTerms::NegativeTerms(std::span<const std::uint64_t> counts, double power) : places_(counts.size()) {
  std::vector<double> shares(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    shares[i] = counts[i] == 0 ? 0.0 : std::pow(static_cast<double>(counts[i]), power);
  }
  const double mean =
      std::accumulate(shares.begin(), shares.end(), 0.0) / static_cast<double>(std::max<std::size_t>(1, shares.size()));
  std::vector<std::uint32_t> poor, rich;  // below and from the mean on
  for (std::size_t i = 0; i < shares.size(); ++i) {
    shares[i] /= mean;
    places_[i] = {0xFFFFFFFF, static_cast<std::uint32_t>(i)};
    (shares[i] < 1 ? poor : rich).push_back(static_cast<std::uint32_t>(i));
  }
  while (!poor.empty() && !rich.empty()) {  // a rich term fills up the place of a poor one
    const std::uint32_t low = poor.back(), high = rich.back();
    poor.pop_back();
    places_[low] = {static_cast<std::uint32_t>(shares[low] * kTwo32), high};
    shares[high] -= 1 - shares[low];
    if (shares[high] < 1) {
      rich.pop_back();
      poor.push_back(high);
    }
  }
  // What rounding left in one of the lists has a share of 1 within rounding: its own place, all of it.
}

}  // namespace twotower
