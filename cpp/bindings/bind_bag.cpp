// Bags of embedding rows and Adam on rows, for twotower/towers and twotower/training alone. bfloat16 comes as uint16.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <string>

#include "arrays.h"
#include "bindings.h"
#include "twotower/bag.h"
#include "twotower/error.h"

namespace twotower::bindings {
namespace {

using Ids = Array<std::int64_t>;
using Floats = Array<float>;
using Halves = Array<std::uint16_t>;

std::size_t rows_of(const py::array& matrix, const char* name) {
  if (matrix.ndim() != 2) throw InvalidInput(std::string(name) + " must be a matrix [rows, dim]");
  return static_cast<std::size_t>(matrix.shape(0));
}

BagView view_of(const Ids& ids, const Ids& offsets, const std::optional<Floats>& weights) {
  if (offsets.size() == 0) throw InvalidInput("offsets is empty: it has one number more than there are bags");
  if (weights && weights->size() != ids.size()) throw InvalidInput("weights must have one number for each id");
  return {ids.data(), static_cast<std::size_t>(ids.size()), offsets.data(),
          static_cast<std::size_t>(offsets.size()) - 1, weights ? weights->data() : nullptr};
}

template <class T>
Floats means(const Array<T>& table, const Ids& ids, const Ids& offsets, const std::optional<Floats>& weights,
             unsigned threads) {
  const std::size_t n_rows = rows_of(table, "table");
  const BagView bags = view_of(ids, offsets, weights);
  Floats out({static_cast<py::ssize_t>(bags.n_bags), table.shape(1)});
  float* to = out.mutable_data();
  const auto dim = static_cast<std::size_t>(table.shape(1));
  const GilRelease release;
  check_bags(bags, n_rows);
  bag_means(table.data(), dim, bags, threads, to);
  return out;
}

Floats gradient(const Floats& outer, const Ids& ids, const Ids& offsets, const std::optional<Floats>& weights,
                std::size_t n_rows, unsigned threads) {
  const BagView bags = view_of(ids, offsets, weights);
  if (rows_of(outer, "outer") != bags.n_bags) throw InvalidInput("outer must have one row for each bag");
  Floats out({static_cast<py::ssize_t>(n_rows), outer.shape(1)});
  float* to = out.mutable_data();
  const auto dim = static_cast<std::size_t>(outer.shape(1));
  const GilRelease release;
  check_bags(bags, n_rows);
  bag_gradient(outer.data(), dim, bags, n_rows, threads, to);
  return out;
}

py::tuple distinct(const Ids& ids, std::size_t n_rows) {
  Ids places(ids.size());
  std::int64_t* to = places.mutable_data();
  std::vector<std::int64_t> rows;
  {
    const GilRelease release;
    rows = distinct_rows(ids.data(), static_cast<std::size_t>(ids.size()), n_rows, to);
  }
  return py::make_tuple(to_numpy(std::move(rows)), places);
}

AdamTable table_of(Floats& weights, Floats& first, Floats& second) {
  const std::size_t n_rows = rows_of(weights, "weights");
  if (first.size() != weights.size() || second.size() != weights.size()) {
    throw InvalidInput("weights and moments must have one shape");
  }
  return {weights.mutable_data(), first.mutable_data(), second.mutable_data(), n_rows,
          static_cast<std::size_t>(weights.shape(1))};
}

void check_rows(const Ids& rows, std::size_t n_rows, const Floats* gradient, std::size_t dim) {
  for (const std::int64_t row : flat(rows)) {
    if (static_cast<std::uint64_t>(row) >= n_rows) throw InvalidInput("row " + std::to_string(row) + " is not there");
  }
  if (gradient != nullptr &&
      static_cast<std::size_t>(gradient->size()) != static_cast<std::size_t>(rows.size()) * dim) {
    throw InvalidInput("gradient must be [rows, dim]");
  }
}

void rows_step(Floats weights, Floats first, Floats second, Ids counts, const Ids& rows, const Floats& gradient,
               double rate, const AdamOptions& options, unsigned threads) {
  const AdamTable table = table_of(weights, first, second);
  check_rows(rows, table.n_rows, &gradient, table.dim);
  if (static_cast<std::size_t>(counts.size()) != table.n_rows) throw InvalidInput("counts must be [V]");
  std::int64_t* counted = counts.mutable_data();
  const GilRelease release;
  adam_rows(table, counted, rows.data(), static_cast<std::size_t>(rows.size()), gradient.data(), rate, options,
            threads);
}

AdamClock clock_of(Ids& current, Ids& met, const Array<double>& rates, std::int64_t step, std::size_t n_rows) {
  const auto n = static_cast<py::ssize_t>(n_rows);
  if (current.size() != n || met.size() != n) throw InvalidInput("current and met must be [V]");
  if (step < 0 || step > rates.size()) throw InvalidInput("there is no learning rate of that step");
  AdamClock clock{current.mutable_data(), met.mutable_data(), rates.data(), rates.size()};
  for (const std::int64_t at : flat(current)) {
    if (at < 0 || at > step) throw InvalidInput("a row stands at a step that is not yet taken");
  }
  return clock;
}

void catch_up(Floats weights, Floats first, Floats second, Ids current, Ids met, const Array<double>& rates,
              std::int64_t until, const std::optional<Ids>& rows, const AdamOptions& options, unsigned threads) {
  const AdamTable table = table_of(weights, first, second);
  const AdamClock clock = clock_of(current, met, rates, until, table.n_rows);
  if (rows) check_rows(*rows, table.n_rows, nullptr, table.dim);
  const std::size_t n = rows ? static_cast<std::size_t>(rows->size()) : table.n_rows;
  const GilRelease release;
  adam_catch_up(table, clock, until, rows ? rows->data() : nullptr, n, options, threads);
}

void take(Floats weights, Floats first, Floats second, Ids current, Ids met, const Array<double>& rates,
          std::int64_t step, const Ids& rows, const Floats& gradient, const AdamOptions& options, unsigned threads) {
  const AdamTable table = table_of(weights, first, second);
  const AdamClock clock = clock_of(current, met, rates, step, table.n_rows);
  if (step < 1) throw InvalidInput("steps are counted from 1");
  check_rows(rows, table.n_rows, &gradient, table.dim);
  const GilRelease release;
  adam_take(table, clock, step, rows.data(), static_cast<std::size_t>(rows.size()), gradient.data(), options, threads);
}

}  // namespace

void bind_bag(py::module_& m) {
  m.def("bag_means", &means<float>, py::arg("table").noconvert(), py::arg("ids").noconvert(),
        py::arg("offsets").noconvert(), py::arg("weights").noconvert(), py::arg("threads"),
        "Weighted mean of the rows of each bag: float32 [B, D] of a float32 table.");
  m.def("bag_means_bfloat16", &means<std::uint16_t>, py::arg("table").noconvert(), py::arg("ids").noconvert(),
        py::arg("offsets").noconvert(), py::arg("weights").noconvert(), py::arg("threads"),
        "The same of a table whose uint16 are bfloat16.");
  m.def("bag_gradient", &gradient, py::arg("outer").noconvert(), py::arg("ids").noconvert(),
        py::arg("offsets").noconvert(), py::arg("weights").noconvert(), py::arg("n_rows"), py::arg("threads"),
        "Gradient of the table, float32 [n_rows, D], from that of the means, float32 [B, D].");
  m.def("distinct_rows", &distinct, py::arg("ids").noconvert(), py::arg("n_rows"),
        "(distinct ids ascending int64 [U], place of each id among them int64 [T])");
  py::class_<AdamOptions>(m, "AdamOptions", "Numbers of Adam that are the same in every step.")
      .def(py::init<double, double, double, double, bool>(), py::arg("beta1"), py::arg("beta2"), py::arg("epsilon"),
           py::arg("weight_decay"), py::arg("bias_correction"));
  m.def("adam_rows", &rows_step, py::arg("weights").noconvert(), py::arg("first").noconvert(),
        py::arg("second").noconvert(), py::arg("counts").noconvert(), py::arg("rows").noconvert(),
        py::arg("gradient").noconvert(), py::arg("rate"), py::arg("options"), py::arg("threads"),
        "One step of distinct rows, each with its own count of steps; all arrays change in place.");
  m.def("adam_catch_up", &catch_up, py::arg("weights").noconvert(), py::arg("first").noconvert(),
        py::arg("second").noconvert(), py::arg("current").noconvert(), py::arg("met").noconvert(),
        py::arg("rates").noconvert(), py::arg("until"), py::arg("rows").noconvert(), py::arg("options"),
        py::arg("threads"), "Takes the steps that rows (None: all) have missed, with gradients of 0.");
  m.def("adam_take", &take, py::arg("weights").noconvert(), py::arg("first").noconvert(), py::arg("second").noconvert(),
        py::arg("current").noconvert(), py::arg("met").noconvert(), py::arg("rates").noconvert(), py::arg("step"),
        py::arg("rows").noconvert(), py::arg("gradient").noconvert(), py::arg("options"), py::arg("threads"),
        "Takes a step of distinct rows that have missed none.");
}

}  // namespace twotower::bindings
