// The checksum of saved files.
//
// An instruction-set file includes this header, <cstddef>, <cstdint> and the intrinsics, and nothing else: an inline
// function of any other header, compiled there with wider instructions, could become everyone's copy.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twotower::kernels {

/// Kernels of one instruction set; kernels.h says what holds for all of them.
struct ChecksumKernels {
  /// CRC-32C (Castagnoli, reflected 0x82F63B78) of `size` bytes; chains: crc32c(crc32c(0, a), b) is that of a then b.
  std::uint32_t (*crc32c)(std::uint32_t crc, const std::uint8_t* data, std::size_t size) noexcept;
};

namespace scalar {
extern const ChecksumKernels kChecksum;
}
namespace avx2 {
extern const ChecksumKernels kChecksum;
}

}  // namespace twotower::kernels
