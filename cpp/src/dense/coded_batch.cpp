#include "dense/coded_batch.h"

#include "dense/query_limits.h"
#include "dense/row_stride.h"

namespace twotower {

CodeRow code_row_of(const kernels::Kernels& kernels, const StoredVectors& vectors) noexcept {
  if (vectors.dim > kMaxInt8Dim) return nullptr;
  const kernels::CodeRowKernels& code_row = kernels.dense.code_row;
  switch (vectors.storage) {
    case Storage::kFloat32:
      return code_row.float32;
    case Storage::kBfloat16:
      return code_row.bfloat16;
    case Storage::kFloat16:
      return code_row.float16;
    case Storage::kInt8:
      break;
  }
  return nullptr;
}

CodedBatch::CodedBatch(const kernels::Kernels& kernels, const StoredVectors& vectors)
    : code_row_(code_row_of(kernels, vectors)),
      dim_(vectors.dim),
      stride_(row_stride(vectors.dim)),
      codes_(kRoom * stride_) {}

void CodedBatch::code(const RowBatches& batch) {
  const kernels::RowLimits& stored = batch.limits();
  for (std::size_t r = 0; r < batch.size(); ++r) {
    const kernels::CodedRow coded = code_row_(batch.rows()[r], dim_, codes_.data() + r * stride_);
    scale_[r] = stored.scale[r] * coded.step;
    radius_[r] = coded_radius(coded, dim_, stored.scale[r], stored.norm[r]);
    start_[r] = coded.start;
  }
  limits_ = {scale_.data(), radius_.data(), stored.offset, start_.data()};
}

}  // namespace twotower
