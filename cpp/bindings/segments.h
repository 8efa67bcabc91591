// Named NumPy arrays as segments of a container. Copies nothing.
#pragma once

#include <pybind11/numpy.h>

#include <string>
#include <utility>
#include <vector>

#include "twotower/container.h"
#include "twotower/error.h"

namespace twotower::bindings {

namespace py = pybind11;

using NamedArrays = std::vector<std::pair<std::string, py::array>>;

inline constexpr std::pair<const char*, DType> kDTypes[] = {
    {"uint8", DType::kUint8},     {"int8", DType::kInt8},       {"uint16", DType::kUint16}, {"int16", DType::kInt16},
    {"uint32", DType::kUint32},   {"int32", DType::kInt32},     {"uint64", DType::kUint64}, {"int64", DType::kInt64},
    {"float32", DType::kFloat32}, {"float64", DType::kFloat64},
};

inline DType dtype_of(const py::array& array) {
  for (const auto& [name, dtype] : kDTypes) {
    if (array.dtype().is(py::dtype(name)) || array.dtype().equal(py::dtype(name))) return dtype;
  }
  throw InvalidInput("an array has a dtype that a container cannot hold");
}

/// Valid as long as the arrays. THROWS InvalidInput for one that is not C-contiguous or has another dtype.
inline std::vector<Segment> segments_of(const NamedArrays& arrays) {
  std::vector<Segment> segments;
  for (const auto& [name, array] : arrays) {
    if ((array.flags() & py::array::c_style) == 0) throw InvalidInput("array '" + name + "' is not C-contiguous");
    const std::vector<std::uint64_t> shape(array.shape(), array.shape() + array.ndim());
    segments.push_back({name, dtype_of(array), shape, array.data()});
  }
  return segments;
}

}  // namespace twotower::bindings
