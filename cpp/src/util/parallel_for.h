// Blocks of work over threads. Knows nothing of what the work is.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>

#include "twotower/interrupt.h"
#include "util/worker_pool.h"

namespace twotower {

/// Number of threads that a request means: 0 is every core of the machine.
inline unsigned resolve_threads(unsigned threads) {
  return threads != 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
}

/// Calls body(i) once for each i in [0, n). Each index runs on exactly one thread; the order is not specified.
///
/// The calling thread works too and polls for interrupts between indices. The first exception stops the others and is
/// rethrown here. threads == 0 means every core.
template <class Body>
void parallel_for(std::size_t n, unsigned threads, Body&& body) {
  const auto n_workers = static_cast<unsigned>(std::min<std::size_t>(resolve_threads(threads), n));
  std::atomic<std::size_t> next{0};
  run_workers(n_workers, [&](unsigned worker) {
    try {
      for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < n;) {
        body(i);
        if (worker == 0) check_interrupt();
      }
    } catch (...) {
      next.store(n, std::memory_order_relaxed);  // the others stop at their next index
      throw;
    }
  });
}

}  // namespace twotower
