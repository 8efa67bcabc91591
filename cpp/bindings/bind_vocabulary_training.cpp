// Training of vocabularies, for twotower/text alone, which checks the options and writes the files.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "bindings.h"
#include "text_views.h"
#include "twotower/error.h"
#include "twotower/vocabulary_training.h"

namespace twotower::bindings {
namespace {

// Texts [begin, end) of a column; text 0 of the column is number `first` for messages.
void add(WordCounter& counter, const TextViews& texts, std::size_t begin, std::size_t end, std::size_t first,
         unsigned threads) {
  const std::span<const StoredText> all = texts.texts;
  if (begin > end || end > all.size()) throw InvalidInput("there are no texts from begin to end");
  const GilRelease release;
  counter.add(all.subspan(begin, end - begin), first + begin, threads);
}

VocabularyRequest request_of(std::vector<std::string> special_tokens, std::size_t vocabulary_size,
                             std::size_t n_candidates, std::uint64_t min_frequency, std::size_t max_token_length,
                             std::size_t limit_alphabet) {
  return {std::move(special_tokens), vocabulary_size, n_candidates, min_frequency, max_token_length, limit_alphabet};
}

}  // namespace

void bind_vocabulary_training(py::module_& m) {
  py::class_<WordCounts>(m, "WordCounts", "Distinct words, the most frequent first.")
      .def(py::init([](const std::vector<std::pair<std::string, std::uint64_t>>& words) {
             WordCounts counts;
             for (const auto& [word, count] : words) {
               counts.bytes += word;
               counts.offsets.push_back(counts.bytes.size());
               counts.counts.push_back(count);
             }
             return counts;
           }),
           py::arg("words"))
      .def("__len__", &WordCounts::size)
      .def("items", [](const WordCounts& counts) {
        py::list items;
        for (std::size_t i = 0; i < counts.size(); ++i) {
          items.append(py::make_tuple(py::bytes(counts.word(i)), counts.counts[i]));
        }
        return items;
      });

  py::class_<WordCounter>(m, "WordCounter")
      .def_static(
          "of_wordpiece",
          [](bool strip_accents, bool lowercase, std::size_t max_chars, std::vector<std::string> special_tokens,
             std::size_t max_words) {
            WordPieceOptions options;
            options.strip_accents = strip_accents;
            options.lowercase = lowercase;
            options.max_input_chars_per_word = max_chars;
            return WordCounter::of_wordpiece(options, std::move(special_tokens), max_words);
          },
          py::arg("strip_accents"), py::arg("lowercase"), py::arg("max_input_chars_per_word"),
          py::arg("special_tokens"), py::arg("max_words"))
      .def_static(
          "of_byte_level",
          [](SplitRule rule, bool nfc, bool add_prefix_space, std::vector<std::string> special_tokens,
             std::size_t max_words) {
            BpeOptions options;
            options.rule = rule;
            options.nfc = nfc;
            options.add_prefix_space = add_prefix_space;
            return WordCounter::of_byte_level(options, std::move(special_tokens), max_words);
          },
          py::arg("rule"), py::arg("nfc"), py::arg("add_prefix_space"), py::arg("special_tokens"), py::arg("max_words"))
      .def("add", &add, py::arg("texts"), py::arg("begin"), py::arg("end"), py::arg("first"), py::arg("threads"))
      .def("take", &WordCounter::take, py::call_guard<GilRelease>());

  py::class_<VocabularyRequest>(m, "VocabularyRequest")
      .def(py::init(&request_of), py::arg("special_tokens"), py::arg("vocabulary_size"), py::arg("n_candidates"),
           py::arg("min_frequency"), py::arg("max_token_length"), py::arg("limit_alphabet"));

  py::class_<VocabularyLearner>(m, "VocabularyLearner")
      .def_static("of_wordpiece", &VocabularyLearner::of_wordpiece, py::arg("words"), py::arg("request"),
                  py::arg("prefix"), py::call_guard<GilRelease>())
      .def_static("of_byte_level", &VocabularyLearner::of_byte_level, py::arg("words"), py::arg("request"),
                  py::call_guard<GilRelease>())
      .def("run", &VocabularyLearner::run, py::arg("n"), py::call_guard<GilRelease>())
      .def("__len__", &VocabularyLearner::size)
      .def("n_fixed", &VocabularyLearner::n_fixed)
      .def("tokens", &VocabularyLearner::tokens)
      .def("merges", [](const VocabularyLearner& learner) {
        py::list merges;
        for (const Merge& merge : learner.merges())
          merges.append(py::make_tuple(merge.left, merge.right, merge.merged));
        return merges;
      });

  m.def("prune_vocabulary", &prune_vocabulary, py::arg("words"), py::arg("tokens"), py::arg("n_fixed"), py::arg("size"),
        py::arg("prefix"), py::call_guard<GilRelease>());
}

}  // namespace twotower::bindings
