#include "text/zero_pages.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace twotower {
namespace {
constexpr std::size_t kHugePage = std::size_t{1} << 21;
}

ZeroPages::ZeroPages(std::size_t bytes) : mapped_bytes_(bytes < kHugePage ? bytes : bytes + kHugePage) {
  mapped_ = mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped_ == MAP_FAILED) throw std::bad_alloc();
  data_ = mapped_;
  if (bytes < kHugePage) return;
  const auto begin = reinterpret_cast<std::uintptr_t>(mapped_);
  data_ = static_cast<char*>(mapped_) + (kHugePage - begin % kHugePage) % kHugePage;
#ifdef MADV_HUGEPAGE
  madvise(data_, bytes, MADV_HUGEPAGE);  // a wish: an error changes nothing but the speed
#endif
}

ZeroPages::~ZeroPages() { munmap(mapped_, mapped_bytes_); }

}  // namespace twotower
