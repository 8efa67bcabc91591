// WordPiece, for twotower/text alone, which reads the files and checks the options.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.h"
#include "bindings.h"
#include "text_views.h"
#include "twotower/error.h"
#include "twotower/wordpiece.h"

namespace twotower::bindings {
namespace {

py::array to_numpy(IdBuffer&& ids) {
  auto owned = std::make_unique<IdBuffer>(std::move(ids));
  const auto size = static_cast<py::ssize_t>(owned->size());
  if (size == 0) return py::array_t<std::int32_t>(0);
  const std::int32_t* const data = owned->data();
  const py::capsule owner(owned.get(), [](void* p) { delete static_cast<IdBuffer*>(p); });
  owned.release();
  return py::array_t<std::int32_t>(size, data, owner);
}

template <class T>
py::array to_numpy(std::vector<T>&& values, std::vector<py::ssize_t> shape) {
  auto owned = std::make_unique<std::vector<T>>(std::move(values));
  const T* const data = owned->data();
  const py::capsule owner(owned.get(), [](void* p) { delete static_cast<std::vector<T>*>(p); });
  owned.release();
  return py::array_t<T>(std::move(shape), data, owner);
}

std::unique_ptr<WordPiece> make(const py::tuple& tokens, const Array<std::int32_t>& ids,
                                const std::vector<std::tuple<std::string, std::int32_t, bool, bool>>& added,
                                bool clean_text, bool handle_chinese_chars, bool strip_accents, bool lowercase,
                                std::string unk_token, std::string prefix, std::size_t max_input_chars_per_word) {
  if (static_cast<py::ssize_t>(tokens.size()) != ids.size()) throw InvalidInput("one id a token is needed");
  std::vector<VocabularyEntry> vocabulary;
  const TextViews views = views_of_strings(tokens, "token");
  for (const std::string_view token : views.views) {
    vocabulary.push_back({std::string(token), ids.data()[vocabulary.size()]});
  }
  std::vector<AddedToken> added_tokens;
  for (const auto& [content, id, lstrip, rstrip] : added) added_tokens.push_back({content, id, lstrip, rstrip});
  WordPieceOptions options{clean_text,           handle_chinese_chars, strip_accents,           lowercase,
                           std::move(unk_token), std::move(prefix),    max_input_chars_per_word};
  const py::gil_scoped_release release;
  return std::make_unique<WordPiece>(std::move(vocabulary), std::move(added_tokens), std::move(options));
}

// (ids [T], offsets [N + 1], n_first [N] or None, spans [T, 2] or None)
py::tuple encode(const WordPiece& tokenizer, const TextViews& texts, const TextViews* pairs,
                 const std::optional<TokenTemplate>& around, std::optional<std::size_t> max_length, bool spans,
                 unsigned threads) {
  EncodeRequest request;
  request.texts = texts.views;
  request.check_utf8 = !texts.well_formed;
  if (pairs != nullptr) {
    if (pairs->views.size() != texts.views.size()) {
      throw InvalidInput("there are " + std::to_string(texts.views.size()) + " texts and " +
                         std::to_string(pairs->views.size()) + " pairs: give one for each text");
    }
    request.pairs = pairs->views;
    request.check_utf8 = request.check_utf8 || !pairs->well_formed;
  }
  request.around = around ? &*around : nullptr;
  request.max_length = max_length.value_or(EncodeRequest::kNoLimit);
  request.spans = spans;
  request.threads = threads;
  EncodedBatch batch;
  {
    const py::gil_scoped_release release;
    batch = tokenizer.encode(request);
  }
  const auto n_ids = static_cast<py::ssize_t>(batch.ids.size());
  const auto n_texts = static_cast<py::ssize_t>(texts.views.size());
  py::object n_first = py::none(), spans_array = py::none();
  if (pairs != nullptr) n_first = to_numpy(std::move(batch.n_first), {n_texts});
  if (spans) spans_array = to_numpy(std::move(batch.spans), {n_ids, 2});
  return py::make_tuple(to_numpy(std::move(batch.ids)), to_numpy(std::move(batch.offsets), {n_texts + 1}), n_first,
                        spans_array);
}

// Bytes to characters, in place: the spans [begins[n], ends[n]) lie in text n.
void to_char_spans(const TextViews& texts, const Array<std::int64_t>& begins, const Array<std::int64_t>& ends,
                   Array<std::int32_t> spans) {
  const auto n_texts = static_cast<py::ssize_t>(texts.views.size());
  if (begins.size() != n_texts || ends.size() != n_texts) throw InvalidInput("spans and texts do not match");
  const auto from = flat(begins), to = flat(ends);
  std::int32_t* const values = spans.mutable_data();
  const py::gil_scoped_release release;
  std::vector<std::int32_t> char_of_byte;
  for (std::size_t n = 0; n < texts.views.size(); ++n) {
    const std::string_view text = texts.views[n];
    char_of_byte.assign(text.size() + 1, 0);
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool begins_char = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
      char_of_byte[i + 1] = char_of_byte[i] + (begins_char ? 1 : 0);
    }
    for (std::int64_t i = 2 * from[n]; i < 2 * to[n]; ++i) values[i] = char_of_byte[static_cast<std::size_t>(values[i])];
  }
}

}  // namespace

void bind_wordpiece(py::module_& m) {
  py::class_<TextViews>(m, "TextViews")
      .def_static("of_strings", &views_of_strings, py::arg("texts"), py::arg("what"))
      .def_static("of_bytes", &views_of_bytes, py::arg("bytes"), py::arg("offsets").noconvert(), py::arg("what"))
      .def_static("of_arrow_array", &views_of_arrow_array, py::arg("schema"), py::arg("array"), py::arg("what"))
      .def_static("of_arrow_stream", &views_of_arrow_stream, py::arg("stream"), py::arg("what"))
      .def("__len__", [](const TextViews& texts) { return texts.views.size(); });

  py::class_<TokenTemplate>(m, "TokenTemplate", "Ids around the tokens of a text or a pair.")
      .def(py::init<std::vector<std::int32_t>, std::vector<std::int32_t>, std::vector<std::int32_t>>(),
           py::arg("before"), py::arg("between"), py::arg("after"));

  py::class_<WordPiece>(m, "WordPiece")
      .def(py::init(&make), py::arg("tokens"), py::arg("ids").noconvert(), py::arg("added"), py::arg("clean_text"),
           py::arg("handle_chinese_chars"), py::arg("strip_accents"), py::arg("lowercase"), py::arg("unk_token"),
           py::arg("prefix"), py::arg("max_input_chars_per_word"))
      .def("encode", &encode, py::arg("texts"), py::arg("pairs"), py::arg("around"), py::arg("max_length"),
           py::arg("spans"), py::arg("threads"), "(ids, offsets, n_first or None, spans in bytes or None)");

  m.def("to_char_spans", &to_char_spans, py::arg("texts"), py::arg("begins").noconvert(), py::arg("ends").noconvert(),
        py::arg("spans").noconvert(), "Turns spans of bytes into spans of characters, in place.");
}

}  // namespace twotower::bindings
