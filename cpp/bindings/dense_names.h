// Storages and metrics by the names that Python has for them.
#pragma once

#include <string>

#include "twotower/dense.h"
#include "twotower/error.h"

namespace twotower::bindings {

inline Storage storage_of(const std::string& name) {
  if (name == "float32") return Storage::kFloat32;
  if (name == "bfloat16") return Storage::kBfloat16;
  if (name == "float16") return Storage::kFloat16;
  if (name == "int8") return Storage::kInt8;
  throw InvalidInput("storage is '" + name + "': choose one of float32, bfloat16, float16, int8");
}

inline Metric metric_of(const std::string& name) {
  if (name == "inner_product") return Metric::kInnerProduct;
  if (name == "cosine") return Metric::kCosine;
  if (name == "l2") return Metric::kL2;
  throw InvalidInput("metric is '" + name + "': choose one of inner_product, cosine, l2");
}

}  // namespace twotower::bindings
