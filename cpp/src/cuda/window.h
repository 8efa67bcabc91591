// What kernels read and write: a window of stored rows, prepared queries, and what was found. Pointers alone.
//
// Legend: N documents of the window, Q queries of a tile, D dimensions, K results, C capacity, R room of a query's
// keys.
#pragma once

#include <cstdint>

#include "cuda/bounds.h"
#include "cuda/numbers.h"

namespace twotower::cuda {

inline constexpr std::uint32_t kNoDoc = 0xFFFFFFFFu;

/// Rows begin `pitch` bytes apart, a multiple of 16; bytes behind a row's D elements are zeros, and so are the rows
/// that fill the last tile up.
struct Window {
  unsigned char* rows = nullptr;
  float* stored_scales = nullptr;  ///< [N], of kInt8 alone
  float* scale = nullptr;          ///< [N] and the next two: RowLimits
  float* norm = nullptr;
  float* offset = nullptr;
  float* tile_norm = nullptr;  ///< the greatest norm of each kTileDocs rows
  std::uint32_t n_docs = 0;
  std::uint32_t first_doc = 0;  ///< the DocId of its first row
  std::uint32_t pitch = 0;
  std::uint32_t dim = 0;
  Storage storage = Storage::kFloat32;
  Metric metric = Metric::kInnerProduct;
};

/// Queries as they were given, and as they are multiplied.
struct Queries {
  const void* given = nullptr;  ///< [Q, D], row after row
  Storage storage = Storage::kFloat32;
  const float* exact = nullptr;  ///< [Q, D] the same numbers: `given` if these are float32, else `widened`
  float* widened = nullptr;
  unsigned char* rows = nullptr;  ///< [Q filled up to whole tiles, pitch], in the form of the window's elements
  QueryLimits* limits = nullptr;  ///< [Q]
  std::uint32_t* odd = nullptr;   ///< the first query that is not finite, else kNoDoc
  std::uint32_t n = 0;
};

/// The search so far. A document of a past range is among a query's best, or in its slots, or ranks after k that were,
/// and then its mid + reach is at or below the threshold.
struct Found {
  std::uint32_t* docs = nullptr;    ///< [Q, C] rows of the window, kNoDoc for none
  float* mids = nullptr;            ///< [Q, C]
  std::uint32_t* counts = nullptr;  ///< [Q] slots that were offered a document, above C where some were lost
  std::uint32_t* kept = nullptr;    ///< [Q] slots in use before the range
  float* thresholds = nullptr;      ///< [Q]
  std::uint64_t* keys = nullptr;    ///< [Q, R]: the best, from 0; those of the slots, from K
  std::uint32_t* n_best = nullptr;  ///< [Q]
  std::uint32_t* lost = nullptr;    ///< kNoDoc until a query loses documents of a range, then 0
  std::uint32_t capacity = 0;
  std::uint32_t room = 0;
  std::uint32_t k = 0;
};

/// A range of tile positions, and for which queries it is searched.
struct Range {
  std::uint32_t first = 0;
  std::uint32_t n = 0;
  const std::uint8_t* wanted = nullptr;  ///< [Q]; nullptr: all
  std::uint8_t* missed = nullptr;        ///< [Q] out: more documents were offered than there are slots, none was taken
  bool direct = false;                   ///< every document has its own slot: none is compared, none can be missed
};

}  // namespace twotower::cuda
