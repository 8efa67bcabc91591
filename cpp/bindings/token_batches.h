// What the bindings of subword tokenizers share: vocabularies in, batches of ids out.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <optional>
#include <vector>

#include "arrays.h"
#include "gil.h"
#include "text_views.h"
#include "twotower/error.h"
#include "twotower/token_batch.h"

namespace twotower::bindings {

/// Tokens (a tuple of str) and their ids. THROWS InvalidInput if there are not as many.
std::vector<VocabularyEntry> vocabulary_of(const py::tuple& tokens, const Array<std::int32_t>& ids);

/// The request of a call; views and template must outlive it. THROWS InvalidInput if there are not as many pairs.
EncodeRequest request_of(const TextViews& texts, const TextViews* pairs, const std::optional<TokenTemplate>& around,
                         std::optional<std::size_t> max_length, SpanUnit spans, unsigned threads);

/// (ids [T], offsets [N + 1], n_first [N] or None, spans [T, 2] or None): arrays over the memory of the batch.
py::tuple to_numpy(EncodedBatch&& batch, bool pairs, bool spans);

/// Binds `encode` of a tokenizer.
template <class Tokenizer>
void def_encode(py::class_<Tokenizer>& tokenizer) {
  tokenizer.def(
      "encode",
      [](const Tokenizer& self, const TextViews& texts, const TextViews* pairs,
         const std::optional<TokenTemplate>& around, std::optional<std::size_t> max_length, SpanUnit spans,
         unsigned threads) {
        const EncodeRequest request = request_of(texts, pairs, around, max_length, spans, threads);
        EncodedBatch batch;
        {
          const GilRelease release;
          batch = self.encode(request);
        }
        return to_numpy(std::move(batch), pairs != nullptr, spans != SpanUnit::kNone);
      },
      py::arg("texts"), py::arg("pairs"), py::arg("around"), py::arg("max_length"), py::arg("spans"),
      py::arg("threads"), "(ids, offsets, n_first or None, spans or None)");
}

}  // namespace twotower::bindings
