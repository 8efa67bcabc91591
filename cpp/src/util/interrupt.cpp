#include "twotower/interrupt.h"

#include <chrono>

#include "twotower/error.h"

namespace twotower {
namespace {
InterruptPoll g_poll = nullptr;
}

void set_interrupt_poll(InterruptPoll poll) noexcept { g_poll = poll; }

void check_interrupt() {
  if (g_poll == nullptr) return;
  using Clock = std::chrono::steady_clock;
  thread_local Clock::time_point last = Clock::now();
  const auto now = Clock::now();
  if (now - last < std::chrono::milliseconds(50)) return;
  last = now;
  if (g_poll()) throw Interrupted();
}

}  // namespace twotower
