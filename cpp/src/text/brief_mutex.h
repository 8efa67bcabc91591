// A lock for a few hundred nanoseconds of work.
#pragma once

#include <mutex>

namespace twotower {

/// A mutex whose waiter looks again for about a microsecond before it sleeps: to sleep and be woken takes many times as
/// long as such work.
class BriefMutex {
 public:
  void lock() {
    for (int i = 0; i < kLooks; ++i) {
      if (mutex_.try_lock()) return;
      pause();
    }
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }

 private:
  static constexpr int kLooks = 64;

  static void pause() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  std::mutex mutex_;
};

}  // namespace twotower
