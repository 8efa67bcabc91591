// Containers and atomic replacement, for twotower/storage.py alone.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "bindings.h"
#include "twotower/container.h"
#include "twotower/error.h"
#include "twotower/file.h"

namespace twotower::bindings {
namespace {

namespace fs = std::filesystem;

constexpr std::pair<const char*, DType> kDTypes[] = {
    {"uint8", DType::kUint8},     {"int8", DType::kInt8},       {"uint16", DType::kUint16}, {"int16", DType::kInt16},
    {"uint32", DType::kUint32},   {"int32", DType::kInt32},     {"uint64", DType::kUint64}, {"int64", DType::kInt64},
    {"float32", DType::kFloat32}, {"float64", DType::kFloat64},
};

std::vector<std::string> dtype_names() {
  std::vector<std::string> names;
  for (const auto& [name, dtype] : kDTypes) names.emplace_back(name);
  return names;
}

DType dtype_of(const py::array& array) {
  for (const auto& [name, dtype] : kDTypes) {
    if (array.dtype().is(py::dtype(name)) || array.dtype().equal(py::dtype(name))) return dtype;
  }
  throw InvalidInput("an array has a dtype that a container cannot hold");
}

const char* name_of(DType wanted) {
  for (const auto& [name, dtype] : kDTypes) {
    if (dtype == wanted) return name;
  }
  return "uint8";  // never: the manifest was checked
}

void write(const fs::path& folder, const std::string& kind, const py::bytes& meta,
           const std::vector<std::pair<std::string, py::array>>& arrays) {
  std::vector<Segment> segments;
  for (const auto& [name, array] : arrays) {
    if ((array.flags() & py::array::c_style) == 0) throw InvalidInput("array '" + name + "' is not C-contiguous");
    const std::vector<std::uint64_t> shape(array.shape(), array.shape() + array.ndim());
    segments.push_back({name, dtype_of(array), shape, array.data()});
  }
  const std::string metadata(meta);
  const py::gil_scoped_release release;
  write_container(folder, kind, metadata, segments);
}

py::tuple read(const fs::path& folder, const std::string& kind) {
  std::shared_ptr<const Container> container;
  {
    const py::gil_scoped_release release;
    container = Container::open(folder, kind);
  }
  // The capsule holds one reference to the mapping; every array holds the capsule.
  auto* held = new std::shared_ptr<const Container>(container);
  const py::capsule owner(held, [](void* p) { delete static_cast<std::shared_ptr<const Container>*>(p); });
  py::dict arrays;
  for (const Segment& segment : container->segments()) {
    const std::vector<py::ssize_t> shape(segment.shape.begin(), segment.shape.end());
    arrays[py::str(segment.name)] = read_only_view(py::dtype(name_of(segment.dtype)), shape, segment.data, owner);
  }
  return py::make_tuple(py::bytes(container->meta()), arrays);
}

}  // namespace

void bind_io(py::module_& m) {
  m.def("container_dtypes", &dtype_names, "Names of the dtypes that a container holds.");
  m.def("write_container", &write, py::arg("folder"), py::arg("kind"), py::arg("meta"), py::arg("arrays"));
  m.def("read_container", &read, py::arg("folder"), py::arg("kind"), "(meta bytes, {name: read-only mapped array})");
  m.def(
      "write_file_atomically",
      [](const fs::path& path, const py::bytes& data) {
        const std::string_view bytes = data;
        const py::gil_scoped_release release;
        write_file_atomically(path, bytes);
      },
      py::arg("path"), py::arg("data"));
  m.def("replace_folder", &replace_folder, py::arg("temporary"), py::arg("target"),
        py::call_guard<py::gil_scoped_release>());
}

}  // namespace twotower::bindings
