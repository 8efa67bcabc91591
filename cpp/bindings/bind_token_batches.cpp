// Texts, templates and batches of subword tokenizers, for twotower/text alone.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <utility>

#include "bindings.h"
#include "token_batches.h"

namespace twotower::bindings {
namespace {

// A NumPy array over the memory of a result, which it then owns.
template <class Owned>
py::capsule owner_of(Owned&& result) {
  auto* const owned = new Owned(std::move(result));
  return py::capsule(owned, [](void* p) { delete static_cast<Owned*>(p); });
}

py::array to_numpy(IdBuffer&& ids, std::vector<py::ssize_t> shape) {
  static const std::int32_t kNothing = 0;  // NumPy would allocate for a null pointer
  const std::int32_t* const data = ids.size() == 0 ? &kNothing : ids.data();
  return py::array_t<std::int32_t>(std::move(shape), data, owner_of(std::move(ids)));
}

py::array to_numpy(std::vector<std::int64_t>&& values) {
  const std::int64_t* const data = values.data();
  const auto size = static_cast<py::ssize_t>(values.size());
  return py::array_t<std::int64_t>(size, data, owner_of(std::move(values)));
}

}  // namespace

std::vector<VocabularyEntry> vocabulary_of(const py::tuple& tokens, const Array<std::int32_t>& ids) {
  if (static_cast<py::ssize_t>(tokens.size()) != ids.size()) throw InvalidInput("one id a token is needed");
  std::vector<VocabularyEntry> vocabulary;
  const TextViews views = views_of_strings(tokens, "token");
  std::string buffer;
  for (const StoredText& token : views.texts) {
    const std::size_t number = vocabulary.size();
    vocabulary.push_back({std::string(utf8_of(token, buffer, "token", number)), ids.data()[number]});
  }
  return vocabulary;
}

EncodeRequest request_of(const TextViews& texts, const TextViews* pairs, const std::optional<TokenTemplate>& around,
                         std::optional<std::size_t> max_length, SpanUnit spans, unsigned threads) {
  EncodeRequest request;
  request.texts = texts.texts;
  if (pairs != nullptr) {
    if (pairs->texts.size() != texts.texts.size()) {
      throw InvalidInput("there are " + std::to_string(texts.texts.size()) + " texts and " +
                         std::to_string(pairs->texts.size()) + " pairs: give one for each text");
    }
    request.pairs = pairs->texts;
  }
  request.around = around ? &*around : nullptr;
  request.max_length = max_length.value_or(EncodeRequest::kNoLimit);
  request.spans = spans;
  request.threads = threads;
  return request;
}

py::tuple to_numpy(EncodedBatch&& batch, bool pairs, bool spans) {
  const auto n_ids = static_cast<py::ssize_t>(batch.ids.size());
  py::object n_first = py::none(), spans_array = py::none();
  if (pairs) n_first = to_numpy(std::move(batch.n_first));
  if (spans) spans_array = to_numpy(std::move(batch.spans), {n_ids, 2});
  return py::make_tuple(to_numpy(std::move(batch.ids), {n_ids}), to_numpy(std::move(batch.offsets)), n_first,
                        spans_array);
}

void bind_token_batches(py::module_& m) {
  py::class_<TextViews>(m, "TextViews")
      .def_static("of_strings", &views_of_strings, py::arg("texts"), py::arg("what"))
      .def_static("of_bytes", &views_of_bytes, py::arg("bytes"), py::arg("offsets").noconvert(), py::arg("what"))
      .def_static("of_arrow_array", &views_of_arrow_array, py::arg("schema"), py::arg("array"), py::arg("what"))
      .def_static("of_arrow_stream", &views_of_arrow_stream, py::arg("stream"), py::arg("what"))
      .def("__len__", [](const TextViews& texts) { return texts.texts.size(); });

  py::class_<TokenTemplate>(m, "TokenTemplate", "Ids around the tokens of a text or a pair.")
      .def(py::init<std::vector<std::int32_t>, std::vector<std::int32_t>, std::vector<std::int32_t>>(),
           py::arg("before"), py::arg("between"), py::arg("after"));

  py::enum_<SpanUnit>(m, "SpanUnit")
      .value("NONE", SpanUnit::kNone)
      .value("BYTE", SpanUnit::kByte)
      .value("CHAR", SpanUnit::kChar);
}

}  // namespace twotower::bindings
