#include "bindings.h"

namespace twotower::bindings {

void bind_dense(py::module_&) {}

}  // namespace twotower::bindings
