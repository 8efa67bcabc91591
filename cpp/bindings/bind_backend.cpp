// What the machine and this build offer: instruction sets, CUDA, threads.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <thread>

#include "bindings.h"
#include "twotower/backend.h"
#include "twotower/cuda.h"

namespace twotower::bindings {

void bind_backend(py::module_& m) {
  m.def("isa_names", &isa_names, "Instruction sets that this machine can run, best last.");
  m.def("isa_name", &isa_name, "The instruction set in use (TWOTOWER_ISA forces one).");
  m.def("cuda_compiled", &cuda::compiled);
  m.def("cuda_device_names", &cuda::device_names);
  m.def("hardware_threads", [] { return std::thread::hardware_concurrency(); });
}

}  // namespace twotower::bindings
