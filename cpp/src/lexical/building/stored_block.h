// A block in memory or in the temporary file, and a cursor that reads its lists term by term from either.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "lexical/building/block.h"
#include "lexical/building/temporary_file.h"

namespace twotower::build {

inline constexpr std::size_t kIndexEvery = 512;  ///< terms of a spilled block between two that memory remembers

/// A block whose arrays may have moved to a file. The few big tfs stay in memory.
class StoredBlock {
 public:
  explicit StoredBlock(Block&& block)
      : block_(std::move(block)), n_terms_(block_.terms.size()), n_postings_(block_.docs.size()) {}

  /// Moves the arrays to the file, which must outlive the block. REQUIRES a block in memory. THROWS FileFailure.
  void spill(TemporaryFile& file);

  bool spilled() const noexcept { return file_ != nullptr; }
  std::size_t memory_bytes() const noexcept { return block_.bytes() + every_.capacity() * sizeof(std::uint32_t); }

 private:
  friend class BlockCursor;
  Block block_;  // spilled: without its arrays
  std::size_t n_terms_;
  std::size_t n_postings_;
  const TemporaryFile* file_ = nullptr;
  std::uint64_t terms_at_ = 0, starts_at_ = 0, docs_at_ = 0, tfs_at_ = 0;  // offsets in the file
  std::vector<std::uint32_t> every_;                                       // spilled: each kIndexEvery-th term
};

/// Part of an array, in memory or read from the file into a buffer.
template <class T>
class Window {
 public:
  /// `memory` is the whole array, or nullptr: then it lies at `offset` of the file.
  Window(const T* memory, const TemporaryFile* file, std::uint64_t offset, std::size_t size)
      : memory_(memory), file_(file), offset_(offset), size_(size) {}

  /// Elements [i, i + n), valid until the next call. REQUIRES them to be there. THROWS FileFailure.
  const T* at(std::size_t i, std::size_t n) {
    if (memory_ != nullptr) return memory_ + i;
    if (i < first_ || i + n > first_ + buffer_.size()) {
      buffer_.resize(std::min(std::max(n, kAhead), size_ - i));
      first_ = i;
      file_->read(offset_ + i * sizeof(T), buffer_.data(), buffer_.size() * sizeof(T));
    }
    return buffer_.data() + (i - first_);
  }

 private:
  static constexpr std::size_t kAhead = 2 * kIndexEvery;
  const T* memory_;
  const TemporaryFile* file_;
  std::uint64_t offset_;
  std::size_t size_;
  std::size_t first_ = 0;
  std::vector<T> buffer_;
};

/// Bytes that a cursor over a spilled block may hold.
inline constexpr std::size_t kCursorBytes = 2 * kIndexEvery * (4 + 4 + 2 + 1) + 256;

/// Reads the lists of a block in the order of their terms. Many cursors may read one block at once.
class BlockCursor {
 public:
  static constexpr std::uint32_t kEnd = 0xFFFFFFFFu;

  explicit BlockCursor(const StoredBlock& block);

  /// Goes to the first term that is not below `term`.
  void seek(std::uint32_t term);

  /// The term whose list is next, or kEnd.
  std::uint32_t term() const noexcept { return term_; }

  /// Calls sink(DocId, tf) for each posting of the term and goes to the next one. REQUIRES term() != kEnd.
  template <class Sink>
  void drain(Sink&& sink) {
    const std::uint32_t* const ends = starts_.at(entry_, 2);
    for (std::size_t i = ends[0], end = ends[1]; i < end;) {
      const std::size_t n = std::min(end - i, kPostingsAtOnce);
      const std::uint16_t* const docs = docs_.at(i, n);
      const std::uint8_t* const tfs = tfs_.at(i, n);
      for (std::size_t j = 0; j < n; ++j) {
        const std::uint32_t tf = tfs[j] != kBigTf ? tfs[j] : big_tf(i + j);
        sink(block_->block_.first_doc + docs[j], tf);
      }
      i += n;
    }
    go_to(entry_ + 1);
  }

 private:
  static constexpr std::size_t kPostingsAtOnce = 2 * kIndexEvery;

  void go_to(std::size_t entry) {
    entry_ = entry;
    term_ = entry < block_->n_terms_ ? *terms_.at(entry, 1) : kEnd;
  }
  std::uint32_t big_tf(std::size_t posting) const noexcept;

  const StoredBlock* block_;
  Window<std::uint32_t> terms_;
  Window<std::uint32_t> starts_;
  Window<std::uint16_t> docs_;
  Window<std::uint8_t> tfs_;
  std::size_t entry_ = 0;
  std::uint32_t term_ = kEnd;
};

}  // namespace twotower::build
