// Every runnable instruction set against the scalar oracle: odd sizes, misaligned pointers.
#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "kernels/dispatch.h"

using twotower::kernels::Kernels;
using twotower::kernels::kScalar;

namespace {

constexpr std::size_t kSizes[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100, 257};

template <class Test>
void on_every_isa(Test&& test) {
  for (const Kernels* kernels : twotower::kernels::runnable()) {
    CAPTURE(kernels->name);
    test(*kernels);
  }
}

}  // namespace

TEST_CASE("crc32c: known values, and every ISA equal to the table at every size and offset") {
  const char* digits = "123456789";
  on_every_isa([&](const Kernels& k) {
    CHECK(k.checksum.crc32c(0, reinterpret_cast<const std::uint8_t*>(digits), 9) ==
          0xE3069283u);  // RFC 3720, appendix B.4
    std::vector<std::uint8_t> bytes(300);
    CHECK(k.checksum.crc32c(0, bytes.data(), 32) == 0x8A9136AAu);
    std::mt19937 generator(1);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(generator());
    for (std::size_t offset = 0; offset < 9; ++offset) {
      for (std::size_t size : kSizes) {
        CHECK(k.checksum.crc32c(7, bytes.data() + offset, size) ==
              kScalar.checksum.crc32c(7, bytes.data() + offset, size));
      }
    }
    CHECK(k.checksum.crc32c(k.checksum.crc32c(0, bytes.data(), 101), bytes.data() + 101, 199) ==
          k.checksum.crc32c(0, bytes.data(), 300));
  });
}
