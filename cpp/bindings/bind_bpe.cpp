// Byte-level BPE, for twotower/text alone, which reads the files and checks the options.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings.h"
#include "token_batches.h"
#include "twotower/bpe.h"

namespace twotower::bindings {
namespace {

std::unique_ptr<Bpe> make(const py::tuple& tokens, const Array<std::int32_t>& ids, const Array<std::int32_t>& merges,
                          const std::vector<std::tuple<std::string, std::int32_t, bool, bool, bool>>& added,
                          SplitRule rule, bool nfc, bool add_prefix_space, bool ignore_merges, bool trim_spans,
                          bool trim_keeps_first) {
  if (merges.ndim() != 2 || merges.shape(1) != 3) throw InvalidInput("merges must be a matrix of three columns");
  std::vector<VocabularyEntry> vocabulary = vocabulary_of(tokens, ids);
  std::vector<BpeMerge> list;
  for (py::ssize_t i = 0; i < merges.shape(0); ++i) {
    const std::int32_t* const row = merges.data() + 3 * i;
    list.push_back({row[0], row[1], row[2]});
  }
  std::vector<AddedToken> added_tokens;
  for (const auto& [content, id, lstrip, rstrip, normalized] : added) {
    added_tokens.push_back({content, id, lstrip, rstrip, normalized});
  }
  const BpeOptions options{rule, nfc, add_prefix_space, ignore_merges, trim_spans, trim_keeps_first};
  const GilRelease release;
  return std::make_unique<Bpe>(std::move(vocabulary), std::move(list), std::move(added_tokens), options);
}

}  // namespace

void bind_bpe(py::module_& m) {
  py::enum_<SplitRule>(m, "SplitRule")
      .value("GPT2", SplitRule::kGpt2)
      .value("GPT4", SplitRule::kGpt4)
      .value("GPT4_ONE_DIGIT", SplitRule::kGpt4OneDigit)
      .value("NONE", SplitRule::kNone);

  m.def("compose", &composed_text, py::arg("text"), "Text in normalisation form C.");

  py::class_<Bpe> tokenizer(m, "BPE");
  tokenizer.def(py::init(&make), py::arg("tokens"), py::arg("ids").noconvert(), py::arg("merges").noconvert(),
                py::arg("added"), py::arg("rule"), py::arg("nfc"), py::arg("add_prefix_space"),
                py::arg("ignore_merges"), py::arg("trim_spans"), py::arg("trim_keeps_first"));
  def_encode(tokenizer);
}

}  // namespace twotower::bindings
