// The structs of DLPack 0.8, as its specification lays them out in memory (dmlc.github.io/dlpack). Knows nothing else.
#pragma once

#include <cstdint>

namespace twotower::bindings {

inline constexpr std::int32_t kDlCuda = 2;
enum DlKind : std::uint8_t { kDlInt = 0, kDlFloat = 2, kDlBfloat = 4 };

struct DlTensor {
  void* data;
  std::int32_t device_type;
  std::int32_t device_id;
  std::int32_t n_dims;
  std::uint8_t kind;
  std::uint8_t bits;
  std::uint16_t lanes;
  std::int64_t* shape;
  std::int64_t* strides;  ///< in elements; nullptr: row after row
  std::uint64_t byte_offset;
};

struct DlManagedTensor {
  DlTensor tensor;
  void* owner;
  void (*deleter)(DlManagedTensor*);
};

}  // namespace twotower::bindings
