// WordPiece, for twotower/text alone, which reads the files and checks the options.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings.h"
#include "token_batches.h"
#include "twotower/wordpiece.h"

namespace twotower::bindings {
namespace {

std::unique_ptr<WordPiece> make(const py::tuple& tokens, const Array<std::int32_t>& ids,
                                const std::vector<std::tuple<std::string, std::int32_t, bool, bool>>& added,
                                bool clean_text, bool handle_chinese_chars, bool strip_accents, bool lowercase,
                                std::string unk_token, std::string prefix, std::size_t max_input_chars_per_word) {
  std::vector<VocabularyEntry> vocabulary = vocabulary_of(tokens, ids);
  std::vector<AddedToken> added_tokens;
  for (const auto& [content, id, lstrip, rstrip] : added) added_tokens.push_back({content, id, lstrip, rstrip});
  WordPieceOptions options{clean_text,           handle_chinese_chars, strip_accents,           lowercase,
                           std::move(unk_token), std::move(prefix),    max_input_chars_per_word};
  const GilRelease release;
  return std::make_unique<WordPiece>(std::move(vocabulary), std::move(added_tokens), std::move(options));
}

}  // namespace

void bind_wordpiece(py::module_& m) {
  py::class_<WordPiece> tokenizer(m, "WordPiece");
  tokenizer.def(py::init(&make), py::arg("tokens"), py::arg("ids").noconvert(), py::arg("added"), py::arg("clean_text"),
                py::arg("handle_chinese_chars"), py::arg("strip_accents"), py::arg("lowercase"), py::arg("unk_token"),
                py::arg("prefix"), py::arg("max_input_chars_per_word"));
  def_encode(tokenizer);
}

}  // namespace twotower::bindings
