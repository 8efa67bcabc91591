// Analyzer and Vocabulary. UTF-8 views are taken with the GIL; the analysis runs without it.
//
// The core's locks are never held while its code waits for the GIL: the stemmer and the interrupt poll run without
// them.
#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
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

py::tuple to_arrays(TermIds&& terms) {
  return py::make_tuple(to_array(std::move(terms.ids)), to_array(std::move(terms.offsets)));
}

// `texts` is a tuple: no other thread can take a str out of it while the GIL is released.
py::tuple term_ids(const Analyzer& analyzer, const py::tuple& texts, Vocabulary& vocabulary, bool grow,
                   std::size_t first_text_number) {
  std::vector<std::string_view> views;
  views.reserve(texts.size());
  for (const py::handle text : texts) {
    views.push_back(utf8_view(text, [&] { return "text " + std::to_string(first_text_number + views.size()); }));
  }
  TermIds out;
  {
    const py::gil_scoped_release release;
    analyzer.append_term_ids(views, vocabulary, grow, out, first_text_number);
  }
  return to_arrays(std::move(out));
}

py::tuple ids_of_terms(Vocabulary& vocabulary, const py::tuple& documents, bool grow, std::size_t first_text_number) {
  TermIds out;
  std::vector<std::string_view> views;
  for (const py::handle document : documents) {
    const auto number = first_text_number + out.offsets.size() - 1;
    for (const py::handle term : document.cast<py::tuple>()) {
      views.push_back(utf8_view(term, [&] {
        return "term " + std::to_string(views.size() - static_cast<std::size_t>(out.offsets.back())) + " of text " +
               std::to_string(number);
      }));
    }
    out.offsets.push_back(static_cast<std::int64_t>(views.size()));
  }
  {
    const py::gil_scoped_release release;
    vocabulary.append_ids(views, grow, out.ids);
  }
  return to_arrays(std::move(out));
}

std::int32_t find(const Vocabulary& vocabulary, const py::object& term) {
  return vocabulary.find(utf8_view(term, [] { return std::string("the term"); }));
}

std::unique_ptr<Vocabulary> read_vocabulary(const py::array_t<std::uint8_t>& bytes,
                                            const py::array_t<std::int64_t>& offsets) {
  const std::string_view all_bytes(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(bytes.size()));
  const std::span<const std::int64_t> all_offsets(offsets.data(), static_cast<std::size_t>(offsets.size()));
  const py::gil_scoped_release release;
  return std::make_unique<Vocabulary>(all_bytes, all_offsets);
}

std::unique_ptr<Analyzer> make_analyzer(bool unicode_words, bool lowercase, std::vector<std::string> stop_words,
                                        std::optional<Stemmer> stemmer) {
  return std::make_unique<Analyzer>(
      AnalyzerOptions{unicode_words ? WordRule::kUnicode : WordRule::kWhitespace, lowercase, std::move(stop_words)},
      std::move(stemmer).value_or(Stemmer{}));
}

}  // namespace

void bind_text(py::module_& m) {
  m.def("unicode_version", &unicode_version, "Version of the Unicode tables.");

  py::class_<Vocabulary>(m, "Vocabulary")
      .def(py::init<>())
      .def(py::init(&read_vocabulary), py::arg("blob").noconvert(), py::arg("offsets").noconvert())
      .def("__len__", &Vocabulary::size)
      .def("find", &find, py::arg("term"))
      .def("term", &Vocabulary::term, py::arg("id"))
      .def("terms", &Vocabulary::terms)
      .def("ids_of_terms", &ids_of_terms, py::arg("documents"), py::arg("grow"), py::arg("first_text_number"))
      .def("stored", [](const Vocabulary& vocabulary) {
        auto [bytes, offsets] = vocabulary.stored();
        return py::make_tuple(to_array(std::move(bytes)), to_array(std::move(offsets)));
      });

  py::class_<Analyzer>(m, "Analyzer")
      .def(py::init(&make_analyzer), py::arg("unicode_words"), py::arg("lowercase"), py::arg("stop_words"),
           py::arg("stemmer"))
      .def("term_ids", &term_ids, py::arg("texts"), py::arg("vocabulary"), py::arg("grow"),
           py::arg("first_text_number"));
}

}  // namespace twotower::bindings
