// Table of contents of the private module twotower._core. Each bind_*.cpp registers one room.
#include "bindings.h"

PYBIND11_MODULE(_core, m) {
  m.doc() = "Private C++ core of twotower. Use the public classes of the package instead.";
  twotower::bindings::bind_errors(m);
  twotower::bindings::bind_backend(m);
  twotower::bindings::bind_io(m);
  twotower::bindings::bind_token_batches(m);  // before bind_text, which takes its TextViews
  twotower::bindings::bind_text(m);
  twotower::bindings::bind_wordpiece(m);
  twotower::bindings::bind_bpe(m);
  twotower::bindings::bind_vocabulary_training(m);
  twotower::bindings::bind_lexical(m);
  twotower::bindings::bind_lexical_build(m);
  twotower::bindings::bind_hashed_ngrams(m);
  twotower::bindings::bind_weighted(m);
  twotower::bindings::bind_dense(m);
  twotower::bindings::bind_dense_codes(m);
  twotower::bindings::bind_cuda(m);
  twotower::bindings::bind_evaluation(m);
  twotower::bindings::bind_bag(m);
  twotower::bindings::bind_word2vec(m);
}
