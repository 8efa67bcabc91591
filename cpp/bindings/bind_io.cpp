#include "bindings.h"

namespace twotower::bindings {

void bind_io(py::module_&) {}

}  // namespace twotower::bindings
