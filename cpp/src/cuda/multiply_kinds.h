// What a matrix instruction multiplies. Names alone; DeviceBlock and HostBlock say how.
#pragma once

#include <cstdint>

#include "cuda/numbers.h"

namespace twotower::cuda {

struct Bfloat16Products {
  using Sum = float;
  static constexpr bool kUnits = false;  ///< whether queries have a unit other than 1
  static constexpr Storage kStorage = Storage::kBfloat16;
};
struct Float16Products {
  using Sum = float;
  static constexpr bool kUnits = true;
  static constexpr Storage kStorage = Storage::kFloat16;
};
struct Int8Products {
  using Sum = std::int32_t;
  static constexpr bool kUnits = true;
  static constexpr Storage kStorage = Storage::kInt8;
};
/// No matrix instruction: float32 is multiplied as such, by ordinary lanes.
struct Float32Products {
  using Sum = float;
  static constexpr bool kUnits = false;
  static constexpr Storage kStorage = Storage::kFloat32;
};

}  // namespace twotower::cuda
