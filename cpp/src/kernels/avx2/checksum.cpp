// AVX2, FMA and SSE 4.2: checksum. See kernels/checksum.h for the contracts and scalar/ for the meaning.
#include "kernels/checksum.h"

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace twotower::kernels::avx2 {
namespace {

std::uint32_t crc32c(std::uint32_t crc, const std::uint8_t* data, std::size_t size) noexcept {
  std::uint64_t state = ~crc;
  for (; size >= 8; size -= 8, data += 8) {
    std::uint64_t word;
    __builtin_memcpy(&word, data, 8);
    state = _mm_crc32_u64(state, word);
  }
  std::uint32_t tail = static_cast<std::uint32_t>(state);
  for (; size > 0; --size, ++data) tail = _mm_crc32_u8(tail, *data);
  return ~tail;
}

}  // namespace

const ChecksumKernels kChecksum{crc32c};

}  // namespace twotower::kernels::avx2
