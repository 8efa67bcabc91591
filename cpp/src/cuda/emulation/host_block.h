// One block of threads of a kernel, on the host: the counterpart of DeviceBlock with the same members.
//
// Threads of a phase run one after another, in an order that a test chooses; a phase ends with a barrier. Shared memory
// begins as garbage. Matrix instructions are computed from the documented layouts of their fragments and matrices, not
// from the kernel's own index arithmetic.
//
// What a device does beside the program happens here at one of the two ends of what is allowed. Forward: a copy into
// shared memory arrives when its group is awaited and the products of a group of warps are computed at once, so that a
// kernel which awaits too few copies reads garbage. Backward: a copy arrives at once and products are computed when
// they are awaited, so that a kernel which fills a stage too early spoils them.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <vector>

#include "cuda/emulation/matrix_instructions.h"
#include "cuda/numbers.h"
#include "cuda/tile_shape.h"

namespace twotower::cuda {

enum class ThreadOrder : std::uint8_t { kForward, kBackward };

template <int kThreads>
class HostBlock {
 public:
  /// One value a thread.
  template <class T>
  class PerThread {
   public:
    T& operator[](int thread) { return values_[static_cast<std::size_t>(thread)]; }

   private:
    std::vector<T> values_ = std::vector<T>(kThreads);
  };

  HostBlock(std::uint32_t x, std::uint32_t n_blocks, std::size_t shared_bytes, ThreadOrder order)
      : x_(x), n_blocks_(n_blocks), order_(order), room_(shared_bytes + kAlign, 0xFF) {
    const auto address = reinterpret_cast<std::uintptr_t>(room_.data());
    shared_ = room_.data() + (kAlign - address % kAlign) % kAlign;
  }

  std::uint32_t x() const { return x_; }
  std::uint32_t n_blocks() const { return n_blocks_; }
  unsigned char* shared() { return shared_; }

  /// Calls body(thread) for each thread. `phase` ends with a barrier.
  template <class Body>
  void each(Body&& body) {
    for (int i = 0; i < kThreads; ++i) body(order_ == ThreadOrder::kForward ? i : kThreads - 1 - i);
  }
  template <class Body>
  void phase(Body&& body) {
    each(body);
  }

  /// Calls body(warp) for each warp; matrix instructions are for the whole warp.
  template <class Body>
  void warps(Body&& body) {
    for (int i = 0; i < kThreads / 32; ++i) body(order_ == ThreadOrder::kForward ? i : kThreads / 32 - 1 - i);
  }

  /// Calls body(group) for each four warps.
  template <class Body>
  void groups(Body&& body) {
    for (int group = 0; group < kThreads / 128; ++group) body(group);
  }

  std::uint32_t add(std::uint32_t* counter, std::uint32_t value) {
    const std::uint32_t before = *counter;
    *counter += value;
    return before;
  }
  void least(std::uint32_t* value, std::uint32_t other) { *value = other < *value ? other : *value; }

  /// A value that is the same for all threads.
  template <class T>
  T uniform(PerThread<T>& values) {
    return values[0];
  }

  float fused(float a, float b, float c) { return std::fma(a, b, c); }

  // ---------------------------------------------------------------- copies

  void copy16(void* to, const void* from, bool present) {
    const Copy copy{to, present ? from : nullptr};
    if (order_ == ThreadOrder::kBackward) return arrive(copy);
    issued_.push_back(copy);
  }
  void commit_copies() {
    groups_.push_back(issued_);
    issued_.clear();
  }
  /// Ends when all groups but the last `kLeft` have arrived, with a barrier.
  template <int kLeft, bool kAsyncReaders>
  void await_copies() {
    for (; groups_.size() > static_cast<std::size_t>(kLeft); groups_.pop_front()) {
      for (const Copy& copy : groups_.front()) arrive(copy);
    }
  }

  // ---------------------------------------------------------------- matrix instructions

  /// ldmatrix.x4 (x2): `address(thread)` is where the thread's row of eight 16-bit elements begins.
  template <int kMatrices, class Address, class Out>
  void load_matrices(int warp, Address&& address, Out&& out) {
    const unsigned char* rows[32];
    for (int lane = 0; lane < 32; ++lane) rows[lane] = address(32 * warp + lane);
    for (int matrix = 0; matrix < kMatrices; ++matrix) {
      for (int lane = 0; lane < 32; ++lane) {
        std::memcpy(out(32 * warp + lane) + matrix, rows[8 * matrix + lane / 4] + lane % 4 * 4, 4);
      }
    }
  }

  /// mma.m16n8: sums += a b, of fragments a (4 words), b (2 words) and sums (4) a thread.
  template <class Kind, class A, class B, class C>
  void multiply(Kind, int warp, A&& a, B&& b, C&& sums) {
    typename MatrixOperands<Kind>::Words operands;
    for (int lane = 0; lane < 32; ++lane) {
      const std::uint32_t* of_a = a(32 * warp + lane);
      const std::uint32_t* of_b = b(32 * warp + lane);
      const int group = lane / 4, in_group = lane % 4;
      operands.a[group][in_group] = of_a[0];
      operands.a[group + 8][in_group] = of_a[1];
      operands.a[group][in_group + 4] = of_a[2];
      operands.a[group + 8][in_group + 4] = of_a[3];
      operands.b[group][in_group] = of_b[0];
      operands.b[group][in_group + 4] = of_b[1];
    }
    const MatrixOperands<Kind> numbers(operands);
    for (int lane = 0; lane < 32; ++lane) {
      auto* of_c = sums(32 * warp + lane);
      for (int e = 0; e < 4; ++e) numbers.add_product(lane / 4 + e / 2 * 8, lane % 4 * 2 + e % 2, of_c[e]);
    }
  }

  /// wgmma.m64nNk16 of two matrices in shared memory: K-major, 128-byte swizzle, eight rows every 1024 bytes.
  /// `sums(thread)` points to N / 8 times four numbers of the warpgroup's threads.
  template <int kN, class Kind, class C>
  void group_multiply(Kind, int group, const unsigned char* a, const unsigned char* b, C&& sums) {
    const std::uint64_t of_a = described(a), of_b = described(b);
    const auto products = [this, group, of_a, of_b, sums] { multiply_described<kN, Kind>(group, of_a, of_b, sums); };
    if (order_ == ThreadOrder::kForward) return products();
    given_.push_back(products);
  }
  template <int kParts, class Part>
  void pin(Part*) {}
  void group_begin() {}
  void group_commit() {
    products_.push_back(given_);
    given_.clear();
  }
  template <int kLeft>
  void group_await() {
    for (; products_.size() > static_cast<std::size_t>(kLeft); products_.pop_front()) {
      for (const auto& products : products_.front()) products();
    }
  }

 private:
  static constexpr std::size_t kAlign = 1024;
  struct Copy {
    void* to;
    const void* from;
  };

  std::uint64_t described(const unsigned char* matrix) const {
    return matrix_descriptor(static_cast<std::uint32_t>(matrix - shared_));
  }

  static void arrive(const Copy& copy) {
    if (copy.from == nullptr) {
      std::memset(copy.to, 0, 16);
    } else {
      std::memcpy(copy.to, copy.from, 16);
    }
  }

  template <int kN, class Kind, class C>
  void multiply_described(int group, std::uint64_t a, std::uint64_t b, const C& sums) {
    for (int warp = 4 * group; warp < 4 * group + 4; ++warp) {
      for (int part = 0; part < kN / 8; ++part) {
        typename MatrixOperands<Kind>::Words operands;
        for (int row = 0; row < 16; ++row) {
          for (int w = 0; w < 8; ++w) {
            operands.a[row][w] = described_word(a, shared_, 16 * (warp % 4) + row, w);
            if (row < 8) operands.b[row][w] = described_word(b, shared_, 8 * part + row, w);
          }
        }
        const MatrixOperands<Kind> numbers(operands);
        for (int lane = 0; lane < 32; ++lane) {
          auto* of_c = sums(32 * warp + lane)[part];
          for (int e = 0; e < 4; ++e) numbers.add_product(lane / 4 + e / 2 * 8, lane % 4 * 2 + e % 2, of_c[e]);
        }
      }
    }
  }

  std::uint32_t x_, n_blocks_;
  ThreadOrder order_;
  std::vector<unsigned char> room_;
  unsigned char* shared_;
  std::vector<Copy> issued_;
  std::deque<std::vector<Copy>> groups_;
  std::vector<std::function<void()>> given_;
  std::deque<std::vector<std::function<void()>>> products_;
};

}  // namespace twotower::cuda
