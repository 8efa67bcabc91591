// Tables of judgements and runs, for twotower/evaluation alone. Files come as chunks of bytes, which Python reads.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arrays.h"
#include "bindings.h"
#include "twotower/error.h"
#include "twotower/evaluation.h"
#include "twotower/interrupt.h"

namespace twotower::bindings {
namespace {

[[noreturn]] void raise_type_error(const std::string& message) {
  py::set_error(py::module_::import("twotower.errors").attr("InputTypeError"), message.c_str());
  throw py::error_already_set();
}

std::string quoted(py::handle value) { return py::repr(value).cast<std::string>(); }

// View of an id's UTF-8, which the str keeps.
std::string_view id_view(py::handle id, const char* what) {
  if (!PyUnicode_Check(id.ptr())) {
    raise_type_error(std::string(what) + " " + quoted(id) + " is of type " +
                     py::type::of(id).attr("__name__").cast<std::string>() + ": ids are strings, use str() on them");
  }
  Py_ssize_t size = 0;
  const char* const data = PyUnicode_AsUTF8AndSize(id.ptr(), &size);
  if (data == nullptr) {
    PyErr_Clear();
    throw InvalidInput(std::string(what) + " " + quoted(id) + " holds a lone surrogate: it has no UTF-8 form");
  }
  return {data, static_cast<std::size_t>(size)};
}

template <class T>
py::array_t<T> to_array(std::vector<T>&& values) {
  auto owned = std::make_unique<std::vector<T>>(std::move(values));
  const T* const data = owned->data();
  const auto size = static_cast<py::ssize_t>(owned->size());
  const py::capsule owner(owned.get(), [](void* p) { delete static_cast<std::vector<T>*>(p); });
  owned.release();
  return py::array_t<T>(size, data, owner);
}

py::tuple to_arrays(FoundDocuments&& found) {
  return py::make_tuple(to_array(std::move(found.pair)), to_array(std::move(found.place)),
                        to_array(std::move(found.n_retrieved)));
}

py::tuple query_ids(const PairTable& pairs) {
  const TermTable& queries = pairs.queries();
  return py::make_tuple(to_array(std::vector<std::uint8_t>(queries.bytes().begin(), queries.bytes().end())),
                        to_array(std::vector<std::int64_t>(queries.offsets())));
}

py::array_t<std::int32_t> query_of(const Judgements& judgements) {
  std::vector<std::int32_t> queries(judgements.pairs().size());
  for (std::size_t i = 0; i < queries.size(); ++i) {
    queries[i] = judgements.pairs().query_of(static_cast<std::int32_t>(i));
  }
  return to_array(std::move(queries));
}

// A table and the reader that fills it from a file.
struct JudgementsTable {
  Judgements table;
  QrelsReader reader{table};

  void feed(const py::bytes& chunk) {
    const std::string_view bytes = chunk;
    const GilRelease release;
    reader.feed(bytes);
  }

  void add(const py::object& query_id, const py::list& doc_ids, const Array<std::int32_t>& grades) {
    const std::string_view query = id_view(query_id, "query id");
    table.add_query(query);
    for (std::size_t i = 0; i < doc_ids.size(); ++i) {
      table.add(query, id_view(doc_ids[i], "document id"), grades.at(static_cast<py::ssize_t>(i)));
    }
  }

  void finish() {
    const GilRelease release;
    reader.finish();
    table.finish();
  }
};

struct RunPlaces {
  RunTable table;
  RunReader reader{[this](auto query, auto doc, double score, auto number, auto line) {
    table.add(query, doc, score, number, line);
  }};

  void feed(const py::bytes& chunk) {
    const std::string_view bytes = chunk;
    const GilRelease release;
    reader.feed(bytes);
  }

  void add(const py::object& query_id, const py::list& doc_ids, const Array<double>& scores) {
    const std::string_view query = id_view(query_id, "query id");
    table.add_query(query);
    for (std::size_t i = 0; i < doc_ids.size(); ++i) {
      const py::handle doc_id = doc_ids[i];
      const double score = scores.at(static_cast<py::ssize_t>(i));
      if (std::isnan(score)) {
        throw InvalidInput("query " + quoted(query_id) + ": the score of document " + quoted(doc_id) +
                           " is NaN: every score must be a number");
      }
      table.add(query, id_view(doc_id, "document id"), score);
    }
  }

  void finish() {
    const GilRelease release;
    reader.finish();
    table.finish();
  }

  py::tuple find(const JudgementsTable& judgements) const {
    FoundDocuments found;
    {
      const GilRelease release;
      found = table.find(judgements.table);
    }
    return to_arrays(std::move(found));
  }
};

struct RunStream {
  explicit RunStream(const JudgementsTable& judgements) : run(judgements.table) {}

  StreamedRun run;
  RunReader reader{
      [this](auto query, auto doc, double score, auto number, auto line) { run.add(query, doc, score, number, line); }};

  void feed(const py::bytes& chunk) {
    const std::string_view bytes = chunk;
    const GilRelease release;
    reader.feed(bytes);
  }

  py::tuple finish() {
    FoundDocuments found;
    {
      const GilRelease release;
      reader.finish();
      found = run.finish();
    }
    return to_arrays(std::move(found));
  }
};

double score_of(py::handle value, py::handle query_id, py::handle doc_id) {
  const double score = PyFloat_CheckExact(value.ptr()) ? PyFloat_AS_DOUBLE(value.ptr()) : PyFloat_AsDouble(value.ptr());
  if (score == -1.0 && PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    raise_type_error("query " + quoted(query_id) + ": the score of document " + quoted(doc_id) + " is " +
                     quoted(value) + ", not a number: give a float");
  }
  if (std::isnan(score)) {
    throw InvalidInput("query " + quoted(query_id) + ": the score of document " + quoted(doc_id) +
                       " is NaN: every score must be a number");
  }
  return score;
}

// The list of one query of a run that is a dict of dicts. Strings are looked at only where scores tie.
class DictList {
 public:
  void read(const py::dict& list, py::handle query_id) {
    ids_.clear();
    scores_.clear();
    Py_ssize_t at = 0;
    PyObject *id = nullptr, *score = nullptr;
    while (PyDict_Next(list.ptr(), &at, &id, &score) != 0) {
      ids_.push_back(id);
      scores_.push_back(static_cast<float>(score_of(score, query_id, id)));
    }
  }

  void find(const py::dict& list, const Judgements& judgements, std::int32_t query, FoundDocuments& found) {
    wanted_.clear();
    pairs_.clear();
    for (const std::int32_t pair : judgements.of_query(query)) {
      const std::string_view id = judgements.pairs().doc_id(pair);
      const py::str key(id.data(), id.size());
      PyObject* const score = PyDict_GetItemWithError(list.ptr(), key.ptr());
      if (score == nullptr) {
        if (PyErr_Occurred() != nullptr) throw py::error_already_set();
        continue;
      }
      wanted_.push_back({static_cast<float>(score_of(score, key, key)), id});
      pairs_.push_back(pair);
    }
    places_.resize(wanted_.size());
    finder_.find(scores_, wanted_, [this](std::size_t i) { return id_view(ids_[i], "document id"); }, places_.data());
    order_.clear();
    for (std::size_t i = 0; i < pairs_.size(); ++i) order_.emplace_back(places_[i], pairs_[i]);
    std::sort(order_.begin(), order_.end());
    for (const auto& [place, pair] : order_) {
      found.place.push_back(place);
      found.pair.push_back(pair);
    }
  }

  std::size_t size() const { return scores_.size(); }

 private:
  std::vector<PyObject*> ids_;  // borrowed from the dict
  std::vector<float> scores_;
  std::vector<WantedDocument> wanted_;
  std::vector<std::int32_t> pairs_;
  std::vector<std::uint32_t> places_;
  std::vector<std::pair<std::uint32_t, std::int32_t>> order_;
  PlaceFinder finder_;
};

py::tuple find_in_dict(const py::dict& run, const JudgementsTable& judgements) {
  const PairTable& pairs = judgements.table.pairs();
  FoundDocuments found;
  found.n_retrieved.assign(pairs.n_queries(), -1);
  DictList reader;
  for (std::size_t query = 0; query < pairs.n_queries(); ++query) {
    const auto number = static_cast<std::int32_t>(query);
    const std::string_view id = pairs.query_id(number);
    const py::str key(id.data(), id.size());
    PyObject* const there = PyDict_GetItemWithError(run.ptr(), key.ptr());
    if (there == nullptr) {
      if (PyErr_Occurred() != nullptr) throw py::error_already_set();
      continue;
    }
    if (!PyDict_Check(there) && !py::hasattr(there, "items")) {
      raise_type_error("query " + quoted(key) + ": the run has " +
                       py::type::of(py::handle(there)).attr("__name__").cast<std::string>() +
                       ": give a mapping of document id to score");
    }
    const py::dict list = PyDict_Check(there) != 0 ? py::reinterpret_borrow<py::dict>(there)
                                                   : py::dict(py::reinterpret_borrow<py::object>(there));
    reader.read(list, key);
    found.n_retrieved[query] = static_cast<std::int64_t>(reader.size());
    reader.find(list, judgements.table, number, found);
    check_interrupt();
  }
  return to_arrays(std::move(found));
}

// BadLine keeps its parts, so that Python can say them as its own reader does.
void translate_bad_line(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const BadLine& error) {
    const py::object type = py::module_::import("twotower._core").attr("BadLine");
    const auto why = py::reinterpret_steal<py::object>(
        PyUnicode_DecodeUTF8(error.why.data(), static_cast<py::ssize_t>(error.why.size()), "backslashreplace"));
    PyErr_SetObject(type.ptr(), py::make_tuple(error.number, py::bytes(error.text), why).ptr());
  } catch (const NotGrouped& error) {
    py::set_error(py::module_::import("twotower._core").attr("NotGrouped"), error.what());
  }
}

}  // namespace

void bind_evaluation(py::module_& m) {
  for (const char* name : {"BadLine", "NotGrouped"}) {
    m.attr(name) = py::reinterpret_steal<py::object>(
        PyErr_NewException((std::string("twotower._core.") + name).c_str(), PyExc_ValueError, nullptr));
  }
  py::register_local_exception_translator(&translate_bad_line);

  py::class_<JudgementsTable>(m, "Judgements",
                              "Judged documents. Add lists, or feed the bytes of one file; then finish.")
      .def(py::init<>())
      .def("feed", &JudgementsTable::feed, py::arg("chunk"))
      .def("add", &JudgementsTable::add, py::arg("query_id"), py::arg("doc_ids"), py::arg("grades").noconvert())
      .def("finish", &JudgementsTable::finish)
      .def_property_readonly("n_queries", [](const JudgementsTable& j) { return j.table.pairs().n_queries(); })
      .def("query_ids", [](const JudgementsTable& j) { return query_ids(j.table.pairs()); })
      .def("query_of", [](const JudgementsTable& j) { return query_of(j.table); })
      .def("grades", [](const JudgementsTable& j) { return to_array(std::vector<std::int32_t>(j.table.grades())); });

  py::class_<RunPlaces>(m, "RunTable", "Places of a whole run. Add lists, or feed the bytes of one file; then finish.")
      .def(py::init<>())
      .def("feed", &RunPlaces::feed, py::arg("chunk"))
      .def("add", &RunPlaces::add, py::arg("query_id"), py::arg("doc_ids"), py::arg("scores").noconvert())
      .def("finish", &RunPlaces::finish)
      .def("find", &RunPlaces::find, py::arg("judgements"))
      .def_property_readonly("n_queries", [](const RunPlaces& r) { return r.table.pairs().n_queries(); })
      .def_property_readonly("n_documents", [](const RunPlaces& r) { return r.table.pairs().size(); })
      .def("query_ids", [](const RunPlaces& r) { return query_ids(r.table.pairs()); });

  py::class_<RunStream>(m, "StreamedRun", "Places found while a run file streams past.")
      .def(py::init<const JudgementsTable&>(), py::arg("judgements"), py::keep_alive<1, 2>())
      .def("feed", &RunStream::feed, py::arg("chunk"))
      .def("finish", &RunStream::finish)
      .def_property_readonly("n_queries", [](const RunStream& r) { return r.run.n_queries(); })
      .def_property_readonly("first_query_id", [](const RunStream& r) { return r.run.first_query_id(); })
      .def_property_readonly("first_doc_id", [](const RunStream& r) { return r.run.first_doc_id(); });

  m.def("find_in_dict", &find_in_dict, py::arg("run"), py::arg("judgements"),
        "(pair numbers, places, documents listed) of the judged documents of a dict of dicts");
}

}  // namespace twotower::bindings
