// Memory of ids, and the last large blocks of it, which the next batch takes again.
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#include "twotower/token_batch.h"

namespace twotower {
namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 19;  // ids of a page of 2 MiB
constexpr std::size_t kLarge = 2 * kHugePage;            // ids of a block that is mapped by itself, in large pages
constexpr std::size_t kMostKept = std::size_t{1} << 25;  // ids of all blocks that are kept: 128 MiB

constexpr std::size_t n_bytes(std::size_t n_ids) { return n_ids * sizeof(std::int32_t); }

// Advises the system of the memory of ids [begin, end). It is a wish: an error changes nothing but the speed.
void advise(std::int32_t* data, std::size_t begin, std::size_t end, int advice) noexcept {
  begin = (begin + kHugePage - 1) / kHugePage * kHugePage;
  end = end / kHugePage * kHugePage;
  if (begin < end) madvise(data + begin, n_bytes(end - begin), advice);
}

struct Block {
  std::int32_t* data = nullptr;
  std::size_t capacity = 0;  // kLarge or more: whole large pages
};

void unmap(Block block) noexcept { munmap(block.data, n_bytes(block.capacity)); }

// Clearing page after page of 4 KiB would cost as much as a tenth of the tokenisation.
Block map(std::size_t capacity) {
  constexpr std::size_t kAlign = n_bytes(kHugePage);
  const std::size_t wanted = n_bytes(capacity);
  void* const mapped = mmap(nullptr, wanted + kAlign, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const first = static_cast<char*>(mapped);
  const std::size_t before = (kAlign - reinterpret_cast<std::uintptr_t>(mapped) % kAlign) % kAlign;
  if (before > 0) munmap(first, before);
  munmap(first + before + wanted, kAlign - before);
#ifdef MADV_HUGEPAGE
  madvise(first + before, wanted, MADV_HUGEPAGE);
#endif
  return {reinterpret_cast<std::int32_t*>(first + before), capacity};
}

// Large blocks that were given back. The system clears every page that it hands out, which costs a twentieth of the
// tokenisation; it may take the pages of a kept block when it needs memory (MADV_FREE).
class KeptBlocks {
 public:
  /// A block of at least `least` ids and at most twice as many, or none.
  Block take(std::size_t least) noexcept {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return {};
    for (Block& block : blocks_) {
      if (block.capacity >= least && block.capacity / 2 <= least) return std::exchange(block, {});
    }
    return {};
  }

  /// Keeps a block, or the memory goes back to the system. The block that has been here for longer makes room.
  void keep(Block block) noexcept {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock() || block.capacity > kMostKept) return unmap(block);
#ifdef MADV_FREE
    advise(block.data, 0, block.capacity, MADV_FREE);
#endif
    if (blocks_[1].data != nullptr) unmap(blocks_[1]);
    blocks_[1] = std::exchange(blocks_[0], block);
    if (blocks_[0].capacity + blocks_[1].capacity > kMostKept) unmap(std::exchange(blocks_[1], {}));
  }

 private:
  std::mutex mutex_;
  Block blocks_[2];
};

KeptBlocks& kept_blocks() {
  static auto* const blocks = new KeptBlocks;  // lives to the end: arrays may be given back while Python ends
  return *blocks;
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

IdBuffer::~IdBuffer() {
  if (capacity_ < kLarge) {
    std::free(data_);
  } else {
    kept_blocks().keep({data_, capacity_});
  }
}

void IdBuffer::grow(std::size_t needed) {
  std::size_t capacity = std::max(needed, capacity_ + capacity_ / 2);
  if (capacity < kLarge) {
    void* const moved = std::realloc(data_, n_bytes(capacity));
    if (moved == nullptr) throw std::bad_alloc();
    data_ = static_cast<std::int32_t*>(moved);
    capacity_ = capacity;
    return;
  }
  capacity = (capacity + kHugePage - 1) / kHugePage * kHugePage;
#ifdef MREMAP_MAYMOVE
  if (capacity_ >= kLarge) {  // the system moves pages instead of copying them
    void* const moved = mremap(data_, n_bytes(capacity_), n_bytes(capacity), MREMAP_MAYMOVE);
    if (moved == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<std::int32_t*>(moved);
    capacity_ = capacity;
    return;
  }
#endif
  Block block = kept_blocks().take(capacity);
  if (block.data == nullptr) block = map(capacity);
  if (size_ > 0) std::memcpy(block.data, data_, n_bytes(size_));
  if (capacity_ < kLarge) {
    std::free(data_);
  } else {
    unmap({data_, capacity_});
  }
  data_ = block.data;
  capacity_ = block.capacity;
}

void IdBuffer::prepare([[maybe_unused]] std::size_t begin, [[maybe_unused]] std::size_t end) const noexcept {
#ifdef MADV_POPULATE_WRITE
  if (capacity_ >= kLarge) advise(data_, begin, std::min(end, capacity_), MADV_POPULATE_WRITE);
#endif
}

// Pages that nobody has touched are no memory yet, so a guess that was a little too large costs nothing.
void IdBuffer::shrink() noexcept {
  if (capacity_ < kLarge) {
    if (size_ == 0) return;
    void* const moved = std::realloc(data_, n_bytes(size_));
    if (moved == nullptr) return;  // the larger block is still there
    data_ = static_cast<std::int32_t*>(moved);
    capacity_ = size_;
    return;
  }
  const std::size_t kept = std::max(kLarge, (size_ + kHugePage - 1) / kHugePage * kHugePage);
  if (kept > capacity_ / 4 * 3) return;
  unmap({data_ + kept, capacity_ - kept});
  capacity_ = kept;
}

}  // namespace twotower
