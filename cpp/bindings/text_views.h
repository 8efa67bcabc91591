// Texts of a Python caller as views: from str, from bytes with offsets, from Arrow. Copies no text.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arrays.h"
#include "gil.h"
#include "twotower/stored_text.h"

namespace twotower::bindings {

[[noreturn]] void raise_type_error(const std::string& message);

/// Turns the pending UnicodeEncodeError of a str into an InvalidInput that names the lone surrogate.
[[noreturn]] void raise_surrogate(const std::string& where);

/// View of a str's UTF-8, which the str keeps: the caller keeps the str. `where` makes its name, on an error alone.
template <class Where>
std::string_view utf8_view(py::handle item, const Where& where) {
  if (!PyUnicode_Check(item.ptr())) {
    raise_type_error(where() + " is of type " + py::type::of(item).attr("__name__").template cast<std::string>() +
                     ": every text and term must be a str");
  }
  Py_ssize_t size = 0;
  const char* const data = PyUnicode_AsUTF8AndSize(item.ptr(), &size);
  if (data == nullptr) raise_surrogate(where());
  return {data, static_cast<std::size_t>(size)};
}

/// Views of N texts and what keeps their memory alive.
struct TextViews {
  std::vector<StoredText> texts;
  std::vector<std::shared_ptr<void>> owners;
};

/// `texts` is a list or tuple of str; each str is held. THROWS InputTypeError that names `what` and the number of what
/// is no str.
TextViews views_of_strings(const py::object& texts, const std::string& what);

/// Text n is bytes[offsets[n], offsets[n + 1]).
TextViews views_of_bytes(const py::buffer& bytes, const Array<std::int64_t>& offsets, const std::string& what);

/// What __arrow_c_array__ gave: two capsules, of which the second one is emptied.
TextViews views_of_arrow_array(const py::capsule& schema, const py::capsule& array, const std::string& what);

/// What __arrow_c_stream__ gave: a capsule, which is emptied.
TextViews views_of_arrow_stream(const py::capsule& stream, const std::string& what);

}  // namespace twotower::bindings
