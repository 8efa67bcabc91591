// The oracle for quantised impacts: what each kernel of kernels/lexical.h means, in plain C++. Runs on any machine.
#include "kernels/lexical.h"

namespace twotower::kernels::scalar {
namespace {

void add_column(std::uint16_t* sums, const std::uint8_t* codes, std::size_t n, std::uint16_t multiplier) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t value = codes[i] == 0 ? 0 : (std::uint32_t{codes[i]} * multiplier >> 8) + 1;
    sums[i] = static_cast<std::uint16_t>(sums[i] + value);
  }
}

std::size_t take_sums(std::uint16_t* sums, std::size_t n, std::uint16_t least, std::uint32_t* found) noexcept {
  std::size_t n_found = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (sums[i] >= least) found[n_found++] = std::uint32_t{sums[i]} << 16 | static_cast<std::uint32_t>(i);
    sums[i] = 0;
  }
  return n_found;
}

void find_entries(const std::uint16_t* list, const std::uint16_t* starts, const std::uint32_t* wanted, std::size_t n,
                  std::uint32_t* at) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t place = wanted[i] & 0xFFFF;
    const std::uint16_t* bounds = starts + (place >> kBlockBits);
    at[i] = kNoEntry;
    for (std::uint32_t entry = bounds[0]; entry < bounds[1]; ++entry) {
      if (list[entry] >> kEntryTfBits == place) at[i] = entry;
    }
  }
}

}  // namespace

const LexicalKernels kLexical{add_column, take_sums, find_entries};

}  // namespace twotower::kernels::scalar
