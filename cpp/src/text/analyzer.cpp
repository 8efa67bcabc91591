#include "twotower/analyzer.h"

#include <algorithm>

#include "text/unicode.h"
#include "text/word_cache.h"
#include "text/word_reader.h"
#include "twotower/error.h"
#include "twotower/interrupt.h"
#include "twotower/utf8.h"

namespace twotower {
namespace {

// Texts are analysed in chunks of about this size: few calls of the stemmer, little memory, Ctrl-C in between.
constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

std::string lower_case_of(std::string_view word) {
  std::string lowered(word.size() + word.size() / 2 + 4, '\0');
  char* out = lowered.data();
  for (const char* at = word.data(); at != word.data() + word.size();)
    out = encode_utf8(lower_case(decode_utf8(at)), out);
  lowered.resize(static_cast<std::size_t>(out - lowered.data()));
  return lowered;
}

// Number of texts at the front that make one chunk; at least one.
std::size_t chunk_length(std::span<const std::string_view> texts) {
  std::size_t n = 0;
  for (std::size_t bytes = 0; n < texts.size() && bytes < kChunkBytes; ++n) bytes += texts[n].size();
  return n;
}

}  // namespace

struct Analyzer::Words {
  std::vector<std::int32_t> ids;
  std::vector<std::size_t> ends;  // of each text in ids
  std::vector<std::int32_t> pending;
};

Analyzer::Analyzer(AnalyzerOptions options, Stemmer stemmer)
    : options_(std::move(options)), stemmer_(std::move(stemmer)), cache_(std::make_shared<WordCache>()) {
  for (const std::string& word : options_.stop_words) {
    if (first_invalid_utf8(word) != std::string_view::npos) throw InvalidInput("a stop word must be valid UTF-8");
    stop_words_.insert(options_.lowercase ? lower_case_of(word) : word);
  }
}

Analyzer::~Analyzer() = default;

void Analyzer::append_term_ids(std::span<const std::string_view> texts, Vocabulary& vocabulary, bool grow, TermIds& out,
                               std::size_t first_text_number) const {
  while (!texts.empty()) {
    const auto chunk = texts.first(chunk_length(texts));
    for (const std::string_view text : chunk) check_utf8(text, first_text_number++);
    analyze_chunk(chunk, vocabulary, grow, out);
    texts = texts.subspan(chunk.size());
    check_interrupt();
  }
}

void Analyzer::analyze_chunk(std::span<const std::string_view> texts, Vocabulary& vocabulary, bool grow,
                             TermIds& out) const {
  const std::shared_ptr<WordCache> cache = current_cache();
  Words words = read_words(texts, *cache);
  stem_pending(words, *cache);

  const std::lock_guard lock(cache->mutex);
  std::vector<std::string_view> terms;
  terms.reserve(words.ids.size());
  auto id = words.ids.begin();
  const auto base = static_cast<std::int64_t>(out.ids.size());
  for (const std::size_t end : words.ends) {
    for (; id != words.ids.begin() + static_cast<std::ptrdiff_t>(end); ++id) {
      const std::int32_t term = cache->term_of(*id);
      if (term != WordCache::kDropped) terms.push_back(cache->term(term));
    }
    out.offsets.push_back(base + static_cast<std::int64_t>(terms.size()));
  }
  vocabulary.append_ids(terms, grow, out.ids);
}

Analyzer::Words Analyzer::read_words(std::span<const std::string_view> texts, WordCache& cache) const {
  Words words;
  std::string buffer;
  const std::lock_guard lock(cache.mutex);
  for (const std::string_view text : texts) {
    WordReader reader(text, options_.words, options_.lowercase, buffer);
    for (std::string_view word; reader.next(word);) {
      const std::int32_t id = cache.add_word(word);
      words.ids.push_back(id);
      if (cache.term_of(id) != WordCache::kPending) continue;
      if (is_stop_word(word)) {
        cache.settle(id, {});
      } else if (!stemmer_) {
        cache.settle(id, word);
      } else {
        words.pending.push_back(id);
      }
    }
    words.ends.push_back(words.ids.size());
  }
  return words;
}

// Another thread may stem the same words at the same time: both settle them alike.
void Analyzer::stem_pending(Words& words, WordCache& cache) const {
  if (words.pending.empty()) return;
  std::sort(words.pending.begin(), words.pending.end());
  words.pending.erase(std::unique(words.pending.begin(), words.pending.end()), words.pending.end());
  std::vector<std::string> surfaces;
  surfaces.reserve(words.pending.size());
  {
    const std::lock_guard lock(cache.mutex);
    for (const std::int32_t id : words.pending) surfaces.emplace_back(cache.word(id));
  }
  const std::vector<std::string> stems = stemmer_(surfaces);
  if (stems.size() != surfaces.size()) {
    throw InvalidInput("the stemmer gave " + std::to_string(stems.size()) + " stems for " +
                       std::to_string(surfaces.size()) + " words: it must give one for each");
  }
  const std::lock_guard lock(cache.mutex);
  for (std::size_t i = 0; i < stems.size(); ++i) cache.settle(words.pending[i], stems[i]);
}

bool Analyzer::is_stop_word(std::string_view word) const {
  if (stop_words_.contains(word)) return true;
  return word.ends_with("'s") && stop_words_.contains(word.substr(0, word.size() - 2));
}

std::shared_ptr<WordCache> Analyzer::current_cache() const {
  const std::lock_guard lock(cache_mutex_);
  bool full;
  {
    const std::lock_guard cache_lock(cache_->mutex);
    full = cache_->full();
  }
  if (full) cache_ = std::make_shared<WordCache>();
  return cache_;
}

}  // namespace twotower
