#include "bindings.h"

namespace twotower::bindings {

void bind_lexical(py::module_&) {}

}  // namespace twotower::bindings
