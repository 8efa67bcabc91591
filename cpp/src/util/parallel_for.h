// Blocks of work over threads. Knows nothing of what the work is.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "twotower/interrupt.h"

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
  const std::size_t n_workers = std::min<std::size_t>(resolve_threads(threads), n);
  if (n_workers <= 1) {
    for (std::size_t i = 0; i < n; ++i) {
      body(i);
      check_interrupt();
    }
    return;
  }
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stop{false};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  auto work = [&](bool polls) {
    try {
      while (!stop.load(std::memory_order_relaxed)) {
        const std::size_t i = next.fetch_add(1, std::memory_order_relaxed);
        if (i >= n) return;
        body(i);
        if (polls) check_interrupt();
      }
    } catch (...) {
      const std::lock_guard<std::mutex> lock(failure_mutex);
      if (!failure) failure = std::current_exception();
      stop.store(true, std::memory_order_relaxed);
    }
  };
  std::vector<std::thread> workers;
  workers.reserve(n_workers - 1);
  for (std::size_t t = 1; t < n_workers; ++t) {
    try {
      workers.emplace_back(work, false);
    } catch (...) {
      break;  // the system gave fewer threads than asked: those that run do all the work
    }
  }
  work(true);
  for (auto& worker : workers) worker.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace twotower
