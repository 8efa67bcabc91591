// Threads that are kept between calls. Knows nothing of what the work is.
#pragma once

#include <functional>

namespace twotower {

/// Calls body(w) for w = 0 .. n - 1 on up to n threads at once and returns when all calls have. body(0) runs on the
/// calling thread; the others run on kept threads, and some are left out where none is free by the time body(0)
/// returns. So the body takes its work from a counter that all share, and each w that is called is called once.
///
/// The first exception is rethrown here, after all have returned. Thread-safe; a forked child starts with no kept
/// threads.
void run_workers(unsigned n, const std::function<void(unsigned)>& body);

}  // namespace twotower
