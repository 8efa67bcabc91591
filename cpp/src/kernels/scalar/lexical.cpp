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

}  // namespace

const LexicalKernels kLexical{add_column, take_sums};

}  // namespace twotower::kernels::scalar
