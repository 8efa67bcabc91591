#include "device_array.h"

#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "twotower/error.h"

namespace twotower::bindings {
namespace {

constexpr const char* kUnread = "dltensor";

// A tensor that is handed out, with its shape and what keeps its memory.
struct Exported {
  DlManagedTensor managed;
  std::int64_t shape[2];
  std::shared_ptr<void> memory;
};

void delete_exported(DlManagedTensor* managed) { delete static_cast<Exported*>(managed->owner); }

// A capsule that nobody took still owns its tensor; who takes it renames it.
void delete_capsule(PyObject* capsule) {
  if (PyCapsule_IsValid(capsule, kUnread) == 0) return;
  auto* managed = static_cast<DlManagedTensor*>(PyCapsule_GetPointer(capsule, kUnread));
  managed->deleter(managed);
}

py::tuple read_dlpack(const py::capsule& capsule) {
  if (PyCapsule_IsValid(capsule.ptr(), kUnread) == 0) throw InvalidInput("the DLPack capsule was taken already");
  const auto* managed = static_cast<const DlManagedTensor*>(PyCapsule_GetPointer(capsule.ptr(), kUnread));
  const DlTensor& tensor = managed->tensor;
  std::vector<std::int64_t> shape(tensor.shape, tensor.shape + tensor.n_dims), strides;
  if (tensor.strides != nullptr) strides.assign(tensor.strides, tensor.strides + tensor.n_dims);
  const auto pointer = reinterpret_cast<std::uintptr_t>(tensor.data) + tensor.byte_offset;
  return py::make_tuple(pointer, shape, strides, static_cast<int>(tensor.kind), static_cast<int>(tensor.bits),
                        tensor.device_type, tensor.device_id);
}

}  // namespace

DeviceArray::DeviceArray(std::shared_ptr<void> memory, int device, std::size_t rows, std::size_t columns, DlKind kind,
                         int bits)
    : memory_(std::move(memory)), device_(device), rows_(rows), columns_(columns), kind_(kind), bits_(bits) {}

py::dict DeviceArray::cuda_array_interface() const {
  py::dict interface;
  interface["shape"] = shape();
  interface["typestr"] = std::string(kind_ == kDlFloat ? "<f" : "<i") + std::to_string(bits_ / 8);
  interface["data"] = py::make_tuple(reinterpret_cast<std::uintptr_t>(data()), false);
  interface["strides"] = py::none();
  interface["version"] = 3;
  return interface;
}

py::capsule DeviceArray::dlpack() const {
  auto exported = std::make_unique<Exported>();
  exported->memory = memory_;
  exported->shape[0] = static_cast<std::int64_t>(rows_);
  exported->shape[1] = static_cast<std::int64_t>(columns_);
  exported->managed.owner = exported.get();
  exported->managed.deleter = delete_exported;
  exported->managed.tensor = {data(), kDlCuda,         device_, 2, kind_, static_cast<std::uint8_t>(bits_),
                              1,      exported->shape, nullptr, 0};
  const py::capsule capsule(&exported->managed, kUnread, delete_capsule);
  (void)exported.release();
  return capsule;
}

void bind_device_array(py::module_& m) {
  py::class_<DeviceArray>(m, "DeviceArray", "A matrix on a CUDA device; read it through DLPack, as torch.from_dlpack.")
      .def_property_readonly("shape", &DeviceArray::shape)
      .def_property_readonly("__cuda_array_interface__", &DeviceArray::cuda_array_interface)
      .def("__dlpack_device__", &DeviceArray::dlpack_device)
      // What is asked for changes nothing: the numbers are there, and a capsule without a version is allowed.
      .def(
          "__dlpack__",
          [](const DeviceArray& array, const py::object&, const py::object&, const py::object&, const py::object&) {
            return array.dlpack();
          },
          py::arg("stream") = py::none(), py::arg("max_version") = py::none(), py::arg("dl_device") = py::none(),
          py::arg("copy") = py::none());
  m.def("read_dlpack", &read_dlpack, py::arg("capsule"),
        "(pointer, shape, strides, kind, bits, device type, device id) of a capsule that stays its owner's.");
}

}  // namespace twotower::bindings
