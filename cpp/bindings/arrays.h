// NumPy arrays at the border of the core: views in, read-only views out. Copies nothing.
#pragma once

#include <pybind11/numpy.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace twotower::bindings {

namespace py = pybind11;

/// An argument of exactly this dtype, C-contiguous. Bind it with .noconvert(), or pybind11 copies others silently.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

/// All elements of a C-contiguous array, in memory order. Valid as long as the array.
template <class T>
std::span<const T> flat(const Array<T>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

/// A NumPy array that owns the vector's memory.
template <class T>
Array<T> to_numpy(std::vector<T>&& values) {
  auto owned = std::make_unique<std::vector<T>>(std::move(values));
  const py::capsule owner(owned.get(), [](void* p) { delete static_cast<std::vector<T>*>(p); });
  const std::vector<T>& kept = *owned.release();
  return Array<T>(static_cast<py::ssize_t>(kept.size()), kept.data(), owner);
}

/// A new read-only array over memory that `owner` keeps alive.
inline py::array read_only_view(const py::dtype& dtype, std::vector<py::ssize_t> shape, const void* data,
                                const py::handle& owner) {
  py::array view(dtype, std::move(shape), data, owner);
  py::detail::array_proxy(view.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return view;
}

}  // namespace twotower::bindings
