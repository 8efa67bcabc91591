#include "bindings.h"

namespace twotower::bindings {

void bind_text(py::module_&) {}

}  // namespace twotower::bindings
