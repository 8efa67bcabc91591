// Memory of ids, and the last large blocks of it, which the next batch takes again.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

#include "twotower/token_batch.h"

namespace twotower {
namespace {

constexpr std::size_t kLarge = std::size_t{1} << 20;      // ids: worth large pages, and worth keeping
constexpr std::size_t kMostKept = std::size_t{1} << 25;  // ids of all blocks that are kept: 128 MiB
constexpr std::uintptr_t kHugePage = std::uintptr_t{1} << 21;

// Advises the system of the whole pages in a stretch of memory. It is a wish: an error changes nothing but the speed.
void advise(const void* data, std::size_t bytes, int advice,
            std::uintptr_t page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE))) noexcept {
  const auto begin = (reinterpret_cast<std::uintptr_t>(data) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(data) + bytes) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, advice);
}

// Large blocks that were given back: the system clears every page that it hands out, which costs a twentieth of the
// tokenisation, and more where two threads ask it at once. It may take the pages of a kept block when it needs memory.
class KeptBlocks {
 public:
  struct Block {
    std::int32_t* data = nullptr;
    std::size_t capacity = 0;
  };

  /// The largest block, or none.
  Block take() noexcept {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return {};
    Block& largest = blocks_[0].capacity >= blocks_[1].capacity ? blocks_[0] : blocks_[1];
    return std::exchange(largest, {});
  }

  /// Whether the block is kept; else the caller frees it.
  bool keep(Block block) noexcept {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock() || blocks_[0].capacity + blocks_[1].capacity + block.capacity > kMostKept) return false;
    Block& free_place = blocks_[0].data == nullptr ? blocks_[0] : blocks_[1];
    if (free_place.data != nullptr) return false;
#ifdef MADV_FREE
    advise(block.data, block.capacity * sizeof(std::int32_t), MADV_FREE, kHugePage);
#endif
    free_place = block;
    return true;
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
  if (capacity_ < kLarge || !kept_blocks().keep({data_, capacity_})) std::free(data_);
}

// realloc: the system moves the pages of a large block instead of copying them.
void IdBuffer::grow(std::size_t needed) {
  if (data_ == nullptr && needed >= kLarge) {
    const KeptBlocks::Block kept = kept_blocks().take();
    data_ = kept.data;
    capacity_ = kept.capacity;
    if (capacity_ >= needed) return;
  }
  const std::size_t capacity = std::max(needed, capacity_ + (size_ > 0 ? capacity_ / 2 : 0));
  void* const moved = std::realloc(data_, capacity * sizeof(std::int32_t));
  if (moved == nullptr) throw std::bad_alloc();
  data_ = static_cast<std::int32_t*>(moved);
  capacity_ = capacity;
#ifdef MADV_HUGEPAGE
  // Clearing page after page of 4 KiB costs as much as a tenth of the tokenisation.
  if (capacity_ >= kLarge) advise(data_, capacity_ * sizeof(std::int32_t), MADV_HUGEPAGE);
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
