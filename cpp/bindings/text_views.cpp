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
      throw InvalidInput(name_of(what, out.texts.size()) + " goes from byte " + std::to_string(offsets[i]) + " to " +
                         std::to_string(offsets[i + 1]) + ": offsets must not fall");
    }
    out.texts.push_back({bytes + offsets[i], static_cast<std::size_t>(offsets[i + 1] - offsets[i]), TextForm::kUtf8});
  }
}

// How many str ahead are fetched from memory: they lie anywhere.
constexpr std::size_t kAhead = 24;

// References to many objects. A list could lose its items while the GIL is released.
class HeldObjects {
 public:
  explicit HeldObjects(std::size_t n) { objects_.reserve(n); }
  HeldObjects(const HeldObjects&) = delete;
  HeldObjects& operator=(const HeldObjects&) = delete;
  ~HeldObjects() {
    const GilAcquire gil;
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      if (i + kAhead < objects_.size()) __builtin_prefetch(objects_[i + kAhead], 1);
      Py_DECREF(objects_[i]);
    }
  }

  void add(PyObject* object) {
    Py_INCREF(object);
    objects_.push_back(object);
  }

 private:
  std::vector<PyObject*> objects_;
};

// A str's own memory. Asking for its UTF-8 would keep a second copy of it for the life of the str.
template <class Where>
StoredText stored_text(PyObject* item, const Where& where) {
  if (!PyUnicode_Check(item)) utf8_view(item, where);  // raises
  const auto size = static_cast<std::size_t>(PyUnicode_GET_LENGTH(item));
  switch (PyUnicode_KIND(item)) {
    case PyUnicode_1BYTE_KIND:
      return {PyUnicode_DATA(item), size, PyUnicode_IS_ASCII(item) ? TextForm::kAscii : TextForm::kLatin1};
    case PyUnicode_2BYTE_KIND:
      return {PyUnicode_DATA(item), size, TextForm::kUcs2};
    case PyUnicode_4BYTE_KIND:
      return {PyUnicode_DATA(item), size, TextForm::kUcs4};
    default: {  // a str of the old kind that is not ready
      const std::string_view utf8 = utf8_view(item, where);
      return {utf8.data(), utf8.size(), TextForm::kUtf8};
    }
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
    out.texts.push_back({data, static_cast<std::size_t>(fields[0]), TextForm::kUtf8});
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
  refuse_nulls(*kept, what, out.texts.size());
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

TextViews views_of_strings(const py::object& texts, const std::string& what) {
  const auto sequence = py::reinterpret_steal<py::object>(PySequence_Fast(texts.ptr(), "a list of str is needed"));
  if (!sequence) throw py::error_already_set();
  const auto n = static_cast<std::size_t>(PySequence_Fast_GET_SIZE(sequence.ptr()));
  PyObject** const items = PySequence_Fast_ITEMS(sequence.ptr());
  TextViews out;
  out.texts.reserve(n);
  auto held = std::make_shared<HeldObjects>(n);
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kAhead < n) __builtin_prefetch(items[i + kAhead], 1);
    out.texts.push_back(stored_text(items[i], [&] { return name_of(what, i); }));
    held->add(items[i]);
  }
  out.owners.push_back(std::move(held));
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
  out.texts.reserve(static_cast<std::size_t>(n));
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
