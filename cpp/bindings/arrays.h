// NumPy arrays at the border of the core: views in, read-only views out. Copies nothing.
#pragma once

#include <pybind11/numpy.h>

#include <cstddef>
#include <cstdint>
#include <span>

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

/// A new read-only array over memory that `owner` keeps alive.
inline py::array read_only_view(const py::dtype& dtype, std::vector<py::ssize_t> shape, const void* data,
                                const py::handle& owner) {
  py::array view(dtype, std::move(shape), data, owner);
  py::detail::array_proxy(view.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return view;
}

}  // namespace twotower::bindings
