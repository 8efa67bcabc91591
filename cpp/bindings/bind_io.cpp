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
#include "segments.h"
#include "twotower/container.h"
#include "twotower/error.h"
#include "twotower/file.h"

namespace twotower::bindings {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> dtype_names() {
  std::vector<std::string> names;
  for (const auto& [name, dtype] : kDTypes) names.emplace_back(name);
  return names;
}

const char* name_of(DType wanted) {
  for (const auto& [name, dtype] : kDTypes) {
    if (dtype == wanted) return name;
  }
  return "uint8";  // never: the manifest was checked
}

void write(const fs::path& folder, const std::string& kind, const py::bytes& meta, const NamedArrays& arrays) {
  const std::vector<Segment> segments = segments_of(arrays);
  const std::string metadata(meta);
  const GilRelease release;
  write_container(folder, kind, metadata, segments);
}

py::tuple read(const fs::path& folder, const std::string& kind) {
  std::shared_ptr<const Container> container;
  {
    const GilRelease release;
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
        const GilRelease release;
        write_file_atomically(path, bytes);
      },
      py::arg("path"), py::arg("data"));
  m.def("replace_folder", &replace_folder, py::arg("temporary"), py::arg("target"), py::call_guard<GilRelease>());
}

}  // namespace twotower::bindings
