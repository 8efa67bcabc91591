// The host as a device: memory is memory, and a launch runs its blocks one after another. The counterpart of
// DeviceMachine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "cuda/emulation/host_block.h"
#include "cuda/scan_choice.h"

namespace twotower::cuda {

class HostMachine {
 public:
  struct Options {
    bool groups = false;  ///< whether it has wgmma
    ThreadOrder order = ThreadOrder::kForward;
    std::size_t memory_bytes = std::size_t{1} << 32;  ///< what free_bytes() tells
  };

  explicit HostMachine(const Options& options) : options_(options) {}

  /// Garbage, as on a device.
  void* allocate(std::size_t bytes) const {
    void* memory = std::malloc(bytes == 0 ? 1 : bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return std::memset(memory, 0xFF, bytes);
  }
  void release(void* memory) const noexcept { std::free(memory); }

  void fill(void* memory, int byte, std::size_t bytes) const { std::memset(memory, byte, bytes); }
  void copy(void* to, const void* from, std::size_t bytes) const {
    if (bytes != 0) std::memcpy(to, from, bytes);  // no bytes may come from nowhere
  }
  void copy_rows(void* to, std::size_t to_pitch, const void* from, std::size_t row_bytes, std::size_t n) const {
    for (std::size_t i = 0; row_bytes != 0 && i < n; ++i) {
      std::memcpy(static_cast<char*>(to) + i * to_pitch, static_cast<const char*>(from) + i * row_bytes, row_bytes);
    }
  }
  void wait() const {}
  void follow(const HostMachine&) const {}
  std::size_t free_bytes() const { return options_.memory_bytes; }
  bool has_groups() const { return options_.groups; }

  template <class Body>
  void launch(const Body& body, std::uint32_t n_blocks) const {
    for (std::uint32_t i = 0; i < n_blocks; ++i) {
      const std::uint32_t x = options_.order == ThreadOrder::kForward ? i : n_blocks - 1 - i;
      HostBlock<Body::kThreads> block(x, n_blocks, Body::kSharedBytes, options_.order);
      body(block);
    }
  }

  /// A kernel whose blocks take as many items as there are.
  template <class Body>
  void launch_items(const Body& body) const {
    launch(body, body.n_items() < kBlocksAtOnce ? body.n_items() : kBlocksAtOnce);
  }

  void scan(const ScanArguments& arguments, TileWidth width) const {
    for_scan(arguments, width, [&](const auto& body) { launch_items(body); });
  }

 private:
  static constexpr std::uint32_t kBlocksAtOnce = 3;  // so that a block has several items, and not all the same number

  Options options_;
};

}  // namespace twotower::cuda
