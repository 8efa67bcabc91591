// Analyzer and Vocabulary. Views of texts are taken with the GIL; the analysis runs without it.
//
// The core's locks are never held while its code waits for the GIL: the stemmer and the interrupt poll run without
// them.
#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings.h"
#include "text_views.h"
#include "twotower/analyzer.h"
#include "twotower/vocabulary.h"

namespace twotower::bindings {
namespace {

template <class T>
py::array_t<T> to_array(std::vector<T>&& values) {
  auto owned = std::make_unique<std::vector<T>>(std::move(values));
  const T* const data = owned->data();
  const auto size = static_cast<py::ssize_t>(owned->size());
  const py::capsule owner(owned.get(), [](void* p) { delete static_cast<std::vector<T>*>(p); });
  owned.release();
  return py::array_t<T>(size, data, owner);
}

py::array_t<std::int32_t> to_array(IdBuffer&& ids) {
  static const std::int32_t kNothing = 0;  // NumPy would allocate for a null pointer
  auto owned = std::make_unique<IdBuffer>(std::move(ids));
  const std::int32_t* const data = owned->size() == 0 ? &kNothing : owned->data();
  const auto size = static_cast<py::ssize_t>(owned->size());
  const py::capsule owner(owned.get(), [](void* p) { delete static_cast<IdBuffer*>(p); });
  owned.release();
  return py::array_t<std::int32_t>(size, data, owner);
}

// The views hold on to their texts.
py::tuple term_ids(const Analyzer& analyzer, const TextViews& texts, Vocabulary& vocabulary, bool grow,
                   unsigned threads, std::size_t first_text_number) {
  AnalyzedBatch batch;
  {
    const GilRelease release;
    batch = analyzer.term_ids({texts.texts, vocabulary, grow, threads, first_text_number});
  }
  return py::make_tuple(to_array(std::move(batch.ids)), to_array(std::move(batch.offsets)));
}

// Documents are lists or tuples of terms. The terms are copied, because a list may change once the GIL is released.
py::tuple ids_of_terms(Vocabulary& vocabulary, const py::tuple& documents, bool grow, std::size_t first_text_number) {
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::size_t> ends;  // of the terms in bytes
  std::string bytes;
  offsets.reserve(documents.size() + 1);
  for (const py::handle document : documents) {
    const auto number = first_text_number + offsets.size() - 1;
    const py::object fast = py::reinterpret_steal<py::object>(PySequence_Fast(document.ptr(), "no list of terms"));
    if (!fast) throw py::error_already_set();
    const auto n_terms = static_cast<std::size_t>(PySequence_Fast_GET_SIZE(fast.ptr()));
    for (std::size_t t = 0; t < n_terms; ++t) {  // nothing below runs Python code, so the list stays as it is
      const py::handle term(PySequence_Fast_GET_ITEM(fast.ptr(), static_cast<Py_ssize_t>(t)));
      bytes += utf8_view(term, [&] { return "term " + std::to_string(t) + " of text " + std::to_string(number); });
      ends.push_back(bytes.size());
    }
    offsets.push_back(static_cast<std::int64_t>(ends.size()));
  }
  {
    const GilRelease release;
    std::vector<std::string_view> views;
    views.reserve(ends.size());
    for (std::size_t begin = 0; const std::size_t end : ends) {
      views.emplace_back(bytes.data() + begin, end - begin);
      begin = end;
    }
    vocabulary.append_ids(views, grow, ids);
  }
  return py::make_tuple(to_array(std::move(ids)), to_array(std::move(offsets)));
}

std::int32_t find(const Vocabulary& vocabulary, const py::object& term) {
  return vocabulary.find(utf8_view(term, [] { return std::string("the term"); }));
}

std::unique_ptr<Vocabulary> read_vocabulary(const py::array_t<std::uint8_t>& bytes,
                                            const py::array_t<std::int64_t>& offsets) {
  const std::string_view all_bytes(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(bytes.size()));
  const std::span<const std::int64_t> all_offsets(offsets.data(), static_cast<std::size_t>(offsets.size()));
  const GilRelease release;
  return std::make_unique<Vocabulary>(all_bytes, all_offsets);
}

// `stemmer` is a function from a list of words to their stems, or the addresses of a libstemmer's functions (create,
// delete, stem, length) with the name of an algorithm, or None.
using SnowballAddresses = std::tuple<std::uintptr_t, std::uintptr_t, std::uintptr_t, std::uintptr_t, std::string>;

std::unique_ptr<Analyzer> make_analyzer(bool unicode_words, bool lowercase, bool turkish, std::uint8_t cjk_sizes,
                                        bool cut_apostrophe, std::vector<std::string> articles, bool fold_accents,
                                        std::vector<std::string> stop_words,
                                        const std::optional<SnowballAddresses>& snowball,
                                        std::optional<Stemmer> stemmer) {
  AnalyzerOptions options{unicode_words ? WordRule::kUnicode : WordRule::kWhitespace,
                          lowercase,
                          turkish,
                          cjk_sizes,
                          cut_apostrophe,
                          std::move(articles),
                          fold_accents,
                          std::move(stop_words)};
  if (!snowball) return std::make_unique<Analyzer>(std::move(options), std::move(stemmer).value_or(Stemmer{}));
  const auto& [create, destroy, stem, length, algorithm] = *snowball;
  const SnowballLibrary library{reinterpret_cast<decltype(SnowballLibrary::create)>(create),
                                reinterpret_cast<decltype(SnowballLibrary::destroy)>(destroy),
                                reinterpret_cast<decltype(SnowballLibrary::stem)>(stem),
                                reinterpret_cast<decltype(SnowballLibrary::length)>(length)};
  return std::make_unique<Analyzer>(std::move(options), snowball_stemmer(library, algorithm));
}

}  // namespace

void bind_text(py::module_& m) {
  m.def("unicode_version", &unicode_version, "Version of the Unicode tables.");

  py::class_<Vocabulary>(m, "Vocabulary")
      .def(py::init<>())
      .def(py::init(&read_vocabulary), py::arg("blob").noconvert(), py::arg("offsets").noconvert())
      .def("__len__", &Vocabulary::size)
      .def("freeze", &Vocabulary::freeze)
      .def("find", &find, py::arg("term"))
      .def("term", &Vocabulary::term, py::arg("id"))
      .def("terms", &Vocabulary::terms)
      .def("ids_of_terms", &ids_of_terms, py::arg("documents"), py::arg("grow"), py::arg("first_text_number"))
      .def("stored", [](const Vocabulary& vocabulary) {
        auto [bytes, offsets] = vocabulary.stored();
        return py::make_tuple(to_array(std::move(bytes)), to_array(std::move(offsets)));
      });

  py::class_<Analyzer>(m, "Analyzer")
      .def(py::init(&make_analyzer), py::kw_only(), py::arg("unicode_words"), py::arg("lowercase"), py::arg("turkish"),
           py::arg("cjk_sizes"), py::arg("cut_apostrophe"), py::arg("articles"), py::arg("fold_accents"),
           py::arg("stop_words"), py::arg("snowball"), py::arg("stemmer"))
      .def("term_ids", &term_ids, py::arg("texts"), py::arg("vocabulary"), py::arg("grow"), py::arg("threads"),
           py::arg("first_text_number"));
}

}  // namespace twotower::bindings
