// Training of word vectors, for twotower/pretraining alone, which makes ids and tables.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>

#include "arrays.h"
#include "bindings.h"
#include "twotower/error.h"
#include "twotower/word2vec.h"

namespace twotower::bindings {
namespace {

using Ids = Array<std::int32_t>;
using Offsets = Array<std::int64_t>;
using Floats = Array<float>;

/// A training and the arrays that it reads and writes, kept alive while it lives.
class Word2VecOnArrays {
 public:
  Word2VecOnArrays(const Ids& ids, const Offsets& offsets, Floats inputs, Floats outputs, Word2VecOptions options)
      : arrays_(py::make_tuple(ids, offsets, inputs, outputs)),
        training_(flat(ids), flat(offsets), n_terms(inputs, outputs, options), options, inputs.mutable_data(),
                  outputs.mutable_data()) {}

  std::uint64_t run(std::uint64_t n_words) {
    const GilRelease release;
    return training_.run(n_words);
  }

 private:
  static std::size_t n_terms(const Floats& inputs, const Floats& outputs, Word2VecOptions& options) {
    if (inputs.ndim() != 2 || outputs.ndim() != 2 || inputs.shape(0) != outputs.shape(0) ||
        inputs.shape(1) != outputs.shape(1)) {
      throw InvalidInput("inputs and outputs must have one shape [V, D]");
    }
    options.dim = static_cast<std::size_t>(inputs.shape(1));
    return static_cast<std::size_t>(inputs.shape(0));
  }

  py::tuple arrays_;
  Word2Vec training_;
};

}  // namespace

void bind_word2vec(py::module_& m) {
  py::class_<Word2VecOnArrays>(m, "Word2VecTraining", "Skip-gram or CBOW with negative sampling, in place.")
      .def(py::init([](const Ids& ids, const Offsets& offsets, const Floats& inputs, const Floats& outputs, bool cbow,
                       std::uint32_t window, std::uint32_t negative, std::uint32_t epochs, double lr, double min_lr,
                       double subsample, double negative_power, std::uint64_t seed, unsigned threads) {
             Word2VecOptions options;
             options.cbow = cbow;
             options.window = window;
             options.negative = negative;
             options.epochs = epochs;
             options.lr = lr;
             options.min_lr = min_lr;
             options.subsample = subsample;
             options.negative_power = negative_power;
             options.seed = seed;
             options.threads = threads;
             return std::make_unique<Word2VecOnArrays>(ids, offsets, inputs, outputs, options);
           }),
           py::arg("ids").noconvert(), py::arg("offsets").noconvert(), py::arg("inputs").noconvert(),
           py::arg("outputs").noconvert(), py::kw_only(), py::arg("cbow"), py::arg("window"), py::arg("negative"),
           py::arg("epochs"), py::arg("lr"), py::arg("min_lr"), py::arg("subsample"), py::arg("negative_power"),
           py::arg("seed"), py::arg("threads"))
      .def("run", &Word2VecOnArrays::run, py::arg("n_words"), "Words read since the start.");
}

}  // namespace twotower::bindings
