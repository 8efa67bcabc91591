#include "twotower/backend.h"

namespace twotower {

std::vector<std::string> isa_names() { return {"scalar"}; }

std::string isa_name() { return "scalar"; }

}  // namespace twotower
