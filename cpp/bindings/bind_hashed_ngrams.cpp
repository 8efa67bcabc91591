// Hashed n-grams, for python/twotower/index alone.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <string_view>

#include "arrays.h"
#include "bindings.h"
#include "twotower/hashed_ngrams.h"

namespace twotower::bindings {
namespace {

template <class T>
Array<T> copied(const std::vector<T>& values) {
  Array<T> array(static_cast<py::ssize_t>(values.size()));
  std::ranges::copy(values, array.mutable_data());
  return array;
}

py::tuple hash_batch(const Array<TermId>& ids, const Array<std::int64_t>& offsets, const Array<std::uint8_t>& words,
                     const Array<std::int64_t>& word_offsets, std::size_t most, std::uint32_t n_bins) {
  const auto ids_view = flat(ids);
  const auto offsets_view = flat(offsets);
  const auto bytes = flat(words);
  const auto ends = flat(word_offsets);
  HashedNgramBatch batch;
  {
    const GilRelease release;
    const TermLists texts(ids_view, offsets_view, ends.empty() ? 0 : ends.size() - 1);
    batch = hash_ngrams(texts, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, ends, most, n_bins);
  }
  return py::make_tuple(copied(batch.bins), copied(batch.offsets));
}

}  // namespace

void bind_hashed_ngrams(py::module_& m) {
  m.def("hash_ngrams", &hash_batch, py::arg("ids").noconvert(), py::arg("offsets").noconvert(),
        py::arg("words").noconvert(), py::arg("word_offsets").noconvert(), py::arg("most"), py::arg("n_bins"),
        "Return (bins int32, offsets) of the n-grams of texts given as word ids; -1 ends a run.");
}

}  // namespace twotower::bindings
