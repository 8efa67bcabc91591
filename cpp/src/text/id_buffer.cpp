#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "twotower/token_batch.h"

namespace twotower {
namespace {

constexpr std::size_t kWorthHugePages = std::size_t{1} << 20;  // ids

// Advises the system of the whole pages in a stretch of memory. It is a wish: an error changes nothing but the speed.
void advise(const void* data, std::size_t bytes, int advice) noexcept {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(data) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(data) + bytes) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, advice);
}

}  // namespace

IdBuffer::IdBuffer(IdBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

IdBuffer& IdBuffer::operator=(IdBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  return *this;
}

IdBuffer::~IdBuffer() { std::free(data_); }

// realloc: the system moves the pages of a large block instead of copying them.
void IdBuffer::grow(std::size_t needed) {
  const std::size_t capacity = std::max(needed, capacity_ + capacity_ / 2);
  void* const moved = std::realloc(data_, capacity * sizeof(std::int32_t));
  if (moved == nullptr) throw std::bad_alloc();
  data_ = static_cast<std::int32_t*>(moved);
  capacity_ = capacity;
#ifdef MADV_HUGEPAGE
  // Clearing page after page of 4 KiB costs as much as a tenth of the tokenisation.
  if (capacity_ >= kWorthHugePages) advise(data_, capacity_ * sizeof(std::int32_t), MADV_HUGEPAGE);
#endif
}

void IdBuffer::prepare([[maybe_unused]] std::size_t begin, [[maybe_unused]] std::size_t end) const noexcept {
#ifdef MADV_POPULATE_WRITE
  end = std::min(end, capacity_);
  if (begin < end) advise(data_ + begin, (end - begin) * sizeof(std::int32_t), MADV_POPULATE_WRITE);
#endif
}

void IdBuffer::shrink() noexcept {
  if (size_ == 0) return;
  void* const moved = std::realloc(data_, size_ * sizeof(std::int32_t));
  if (moved == nullptr) return;  // the larger block is still there
  data_ = static_cast<std::int32_t*>(moved);
  capacity_ = size_;
}

}  // namespace twotower
