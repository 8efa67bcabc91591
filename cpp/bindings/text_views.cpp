#include "text_views.h"

#include <cstring>
#include <string>

#include "arrow_abi.h"
#include "twotower/error.h"

namespace twotower::bindings {

void raise_type_error(const std::string& message) {
  py::set_error(py::module_::import("twotower.errors").attr("InputTypeError"), message.c_str());
  throw py::error_already_set();
}

// Python strings may hold lone surrogates, which no UTF-8 can say: names the first one.
void raise_surrogate(const std::string& where) {
  const py::error_already_set error;  // takes the pending UnicodeEncodeError
  if (!error.matches(PyExc_UnicodeEncodeError)) throw error;
  const auto at = error.value().attr("start").cast<std::size_t>();
  const auto code =
      py::str("U+{:04X}")
          .format(py::module_::import("builtins").attr("ord")(error.value().attr("object")[py::int_(at)]));
  throw InvalidInput(where + " has a lone surrogate, " + code.cast<std::string>() + ", at character " +
                     std::to_string(at) + ": decode the text strictly, or replace it (errors=\"replace\")");
}

namespace {

std::string name_of(const std::string& what, std::size_t number) { return what + " " + std::to_string(number); }

template <class T>
void add_by_offsets(const T* offsets, std::int64_t n, const char* bytes, const std::string& what, TextViews& out) {
  for (std::int64_t i = 0; i < n; ++i) {
    if (offsets[i] < 0 || offsets[i + 1] < offsets[i]) {
      throw InvalidInput(name_of(what, out.views.size()) + " goes from byte " + std::to_string(offsets[i]) + " to " +
                         std::to_string(offsets[i + 1]) + ": offsets must not fall");
    }
    out.views.emplace_back(bytes + offsets[i], static_cast<std::size_t>(offsets[i + 1] - offsets[i]));
  }
}

// "String view" layout: 16 bytes a text, which hold it (up to 12 bytes) or name a buffer and the place in it.
void add_string_views(const ArrowArray& array, TextViews& out) {
  const char* const first = static_cast<const char*>(array.buffers[1]) + 16 * array.offset;
  for (std::int64_t i = 0; i < array.length; ++i) {
    std::int32_t fields[4];
    std::memcpy(fields, first + 16 * i, sizeof fields);
    const char* data = first + 16 * i + 4;
    if (fields[0] > 12) data = static_cast<const char*>(array.buffers[2 + fields[2]]) + fields[3];
    out.views.emplace_back(data, static_cast<std::size_t>(fields[0]));
  }
}

void refuse_nulls(const ArrowArray& array, const std::string& what, std::size_t first) {
  const auto* const valid = static_cast<const unsigned char*>(array.buffers[0]);
  if (array.null_count == 0 || valid == nullptr) return;
  for (std::int64_t i = 0; i < array.length; ++i) {
    const std::int64_t at = array.offset + i;
    if ((valid[at / 8] >> at % 8 & 1) == 0) {
      throw InvalidInput(name_of(what, first + static_cast<std::size_t>(i)) +
                         " is null: leave it out, or give an empty text");
    }
  }
}

// Takes over an array (its release) and adds its texts.
void add_arrow(const ArrowSchema& schema, ArrowArray* array, const std::string& what, TextViews& out) {
  auto* const kept = new ArrowArray(*array);
  array->release = nullptr;
  out.owners.emplace_back(kept, [](ArrowArray* owned) {
    if (owned->release != nullptr) owned->release(owned);
    delete owned;
  });
  const std::string format = schema.dictionary != nullptr ? "dictionary" : schema.format;
  if (format != "u" && format != "U" && format != "vu") {
    raise_type_error("the Arrow column has format \"" + format +
                     "\": it must be a column of strings (utf8, large_utf8 or string_view)");
  }
  if (kept->length == 0) return;
  refuse_nulls(*kept, what, out.views.size());
  if (format == "vu") return add_string_views(*kept, out);
  const char* const bytes = kept->buffers[2] == nullptr ? "" : static_cast<const char*>(kept->buffers[2]);
  if (format == "u") {
    add_by_offsets(static_cast<const std::int32_t*>(kept->buffers[1]) + kept->offset, kept->length, bytes, what, out);
  } else {
    add_by_offsets(static_cast<const std::int64_t*>(kept->buffers[1]) + kept->offset, kept->length, bytes, what, out);
  }
}

template <class T>
T* pointer_of(const py::capsule& capsule, const char* name) {
  void* const pointer = PyCapsule_GetPointer(capsule.ptr(), name);
  if (pointer == nullptr) throw py::error_already_set();
  return static_cast<T*>(pointer);
}

void check_stream(int code, ArrowArrayStream* stream) {
  if (code == 0) return;
  const char* const message = stream->get_last_error(stream);
  throw InvalidInput(std::string("the Arrow stream failed: ") + (message == nullptr ? "no reason given" : message));
}

}  // namespace

TextViews views_of_strings(const py::tuple& texts, const std::string& what) {
  TextViews out;
  out.well_formed = true;
  out.views.reserve(texts.size());
  for (const py::handle text : texts) {
    out.views.push_back(utf8_view(text, [&] { return name_of(what, out.views.size()); }));
  }
  out.owners.emplace_back(new py::tuple(texts), [](py::tuple* owned) {
    const py::gil_scoped_acquire gil;
    delete owned;
  });
  return out;
}

TextViews views_of_bytes(const py::buffer& bytes, const Array<std::int64_t>& offsets, const std::string& what) {
  auto info = std::make_shared<py::buffer_info>(bytes.request());
  if (info->itemsize != 1 || info->ndim != 1 || (info->size > 1 && info->strides[0] != 1)) {
    raise_type_error(what + "s must be one-dimensional, contiguous bytes");
  }
  if (offsets.ndim() != 1 || offsets.size() == 0) throw InvalidInput("offsets must have N + 1 numbers, at least one");
  const auto ends = flat(offsets);
  if (ends.front() < 0 || ends.back() > info->size) {
    throw InvalidInput("offsets go from " + std::to_string(ends.front()) + " to " + std::to_string(ends.back()) +
                       ": there are " + std::to_string(info->size) + " bytes");
  }
  TextViews out;
  const auto n = static_cast<std::int64_t>(ends.size()) - 1;
  out.views.reserve(static_cast<std::size_t>(n));
  const char* const data = info->ptr == nullptr ? "" : static_cast<const char*>(info->ptr);
  add_by_offsets(ends.data(), n, data, what, out);
  out.owners.push_back(std::move(info));  // and with it the buffer of the object
  return out;
}

TextViews views_of_arrow_array(const py::capsule& schema, const py::capsule& array, const std::string& what) {
  TextViews out;
  add_arrow(*pointer_of<ArrowSchema>(schema, "arrow_schema"), pointer_of<ArrowArray>(array, "arrow_array"), what, out);
  return out;
}

TextViews views_of_arrow_stream(const py::capsule& capsule, const std::string& what) {
  auto* const stream = pointer_of<ArrowArrayStream>(capsule, "arrow_array_stream");
  if (stream->release == nullptr) throw InvalidInput("the Arrow stream has been read already");
  TextViews out;
  ArrowSchema schema{};
  check_stream(stream->get_schema(stream, &schema), stream);
  const std::shared_ptr<ArrowSchema> schema_owner(&schema, [](ArrowSchema* owned) {
    if (owned->release != nullptr) owned->release(owned);
  });
  while (true) {
    ArrowArray array{};
    check_stream(stream->get_next(stream, &array), stream);
    if (array.release == nullptr) return out;
    add_arrow(schema, &array, what, out);
  }
}

}  // namespace twotower::bindings
