// The oracle for checksum: what each kernel of kernels/checksum.h means, in plain C++. Runs on any machine.
#include "kernels/checksum.h"

namespace twotower::kernels::scalar {
namespace {

struct Crc32cTable {
  std::uint32_t of[256];

  constexpr Crc32cTable() : of{} {
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      std::uint32_t crc = byte;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0x82F63B78u : 0u);
      of[byte] = crc;
    }
  }
};
constexpr Crc32cTable kCrc32c;

std::uint32_t crc32c(std::uint32_t crc, const std::uint8_t* data, std::size_t size) noexcept {
  crc = ~crc;
  for (std::size_t i = 0; i < size; ++i) crc = (crc >> 8) ^ kCrc32c.of[(crc ^ data[i]) & 0xFFu];
  return ~crc;
}

}  // namespace

const ChecksumKernels kChecksum{crc32c};

}  // namespace twotower::kernels::scalar
