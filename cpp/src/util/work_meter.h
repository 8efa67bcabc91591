// Work done since the last look at the clock. Knows nothing of what the work is.
#pragma once

#include <cstddef>

#include "twotower/interrupt.h"

namespace twotower {

/// Calls check_interrupt() once for each kUnits units of work: loops over cheap steps of different cost ask the clock
/// rarely, and soon enough. A unit is what takes up to some hundred nanoseconds. Not thread-safe.
class WorkMeter {
 public:
  /// THROWS Interrupted.
  void add(std::size_t units) {
    if ((units_ += units) < kUnits) return;
    units_ = 0;
    check_interrupt();
  }

 private:
  static constexpr std::size_t kUnits = std::size_t{1} << 16;

  std::size_t units_ = 0;
};

}  // namespace twotower
