// A matrix in memory of a CUDA device that Python owns, and how other libraries read it: DLPack and
// __cuda_array_interface__. Copies nothing.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "dlpack_abi.h"

namespace twotower::bindings {

namespace py = pybind11;

class DeviceArray {
 public:
  /// `memory` [rows, columns] of numbers of a kind and a number of bits, ready when it is handed over.
  DeviceArray(std::shared_ptr<void> memory, int device, std::size_t rows, std::size_t columns, DlKind kind, int bits);

  void* data() const { return memory_.get(); }
  py::tuple shape() const { return py::make_tuple(rows_, columns_); }
  py::dict cuda_array_interface() const;
  py::tuple dlpack_device() const { return py::make_tuple(kDlCuda, device_); }
  py::capsule dlpack() const;

 private:
  std::shared_ptr<void> memory_;
  int device_;
  std::size_t rows_, columns_;
  DlKind kind_;
  int bits_;
};

/// DeviceArray, and read_dlpack(capsule) -> (pointer, shape, strides, kind, bits, device type, device id).
void bind_device_array(py::module_& m);

}  // namespace twotower::bindings
