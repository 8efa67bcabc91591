// One registration function a room; module.cpp calls them all.
#pragma once

#include <pybind11/pybind11.h>

#include "gil.h"

namespace twotower::bindings {

namespace py = pybind11;

void bind_errors(py::module_& m);
void bind_backend(py::module_& m);
void bind_io(py::module_& m);
void bind_text(py::module_& m);
void bind_token_batches(py::module_& m);
void bind_wordpiece(py::module_& m);
void bind_bpe(py::module_& m);
void bind_vocabulary_training(py::module_& m);
void bind_lexical(py::module_& m);
void bind_lexical_build(py::module_& m);
void bind_hashed_ngrams(py::module_& m);
void bind_weighted(py::module_& m);
void bind_dense(py::module_& m);
void bind_dense_codes(py::module_& m);
void bind_cuda(py::module_& m);
void bind_evaluation(py::module_& m);
void bind_bag(py::module_& m);
void bind_word2vec(py::module_& m);

}  // namespace twotower::bindings
