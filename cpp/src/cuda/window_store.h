// Rows on a machine, padded to whole granules, with their limits. Holds all documents, or one window of them at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/buffer.h"
#include "cuda/prepare.h"
#include "cuda/window.h"

namespace twotower::cuda {

/// All documents, wherever they are: N rows of D elements, one behind another.
struct Rows {
  const void* data = nullptr;
  const float* scales = nullptr;  ///< of kInt8 alone
  std::uint64_t n_docs = 0;
  std::uint32_t dim = 0;
  Storage storage = Storage::kFloat32;
  Metric metric = Metric::kInnerProduct;

  std::size_t row_bytes() const { return std::size_t{dim} * element_bytes(storage); }
  std::uint32_t pitch() const {
    return static_cast<std::uint32_t>((row_bytes() + kGranuleBytes - 1) / kGranuleBytes * kGranuleBytes);
  }
  std::size_t bytes_of_doc() const { return pitch() + 4 * sizeof(float); }
};

template <class Machine>
class WindowStore {
 public:
  /// Room for `most` documents.
  WindowStore(const Machine& machine, const Rows& all, std::uint64_t most)
      : all_(all),
        rows_(machine, padded(most) * all.pitch()),
        numbers_(machine, 4 * most + padded(most) / kTileDocs),
        odd_(machine, 1) {
    window_.rows = rows_.get();
    window_.stored_scales = numbers_.get();
    window_.scale = numbers_.get() + most;
    window_.norm = numbers_.get() + 2 * most;
    window_.offset = numbers_.get() + 3 * most;
    window_.tile_norm = numbers_.get() + 4 * most;
    window_.pitch = all.pitch();
    window_.dim = all.dim;
    window_.storage = all.storage;
    window_.metric = all.metric;
    machine.fill(odd_.get(), 0xFF, sizeof(std::uint32_t));
  }

  /// Holds documents [first, first + n) from now on.
  void load(const Machine& machine, std::uint64_t first, std::uint32_t n) {
    const std::size_t bytes = all_.row_bytes();
    const std::size_t kept = bytes == window_.pitch ? std::size_t{n} * bytes : 0;  // all others begin as zeros
    machine.fill(window_.rows + kept, 0, padded(n) * window_.pitch - kept);
    machine.copy_rows(window_.rows, window_.pitch, static_cast<const char*>(all_.data) + first * bytes, bytes, n);
    if (all_.storage == Storage::kInt8) {
      machine.copy(window_.stored_scales, all_.scales + first, n * sizeof(float));
    }
    window_.n_docs = n;
    window_.first_doc = static_cast<std::uint32_t>(first);
    machine.launch(PrepareRows{window_, odd_.get()}, (n + PrepareRows::kThreads - 1) / PrepareRows::kThreads);
  }

  const Window& window() const { return window_; }

  /// The first DocId loaded so far whose row is not finite, or kNoDoc. Waits.
  std::uint32_t odd_row(const Machine& machine) const {
    std::uint32_t odd = kNoDoc;
    machine.copy(&odd, odd_.get(), sizeof odd);
    machine.wait();
    return odd;
  }

 private:
  // Rows of whole tiles.
  static std::size_t padded(std::uint64_t n) { return (n + kTileDocs - 1) / kTileDocs * kTileDocs; }

  Rows all_;
  Buffer<unsigned char, Machine> rows_;
  Buffer<float, Machine> numbers_;
  Buffer<std::uint32_t, Machine> odd_;
  Window window_;
};

}  // namespace twotower::cuda
