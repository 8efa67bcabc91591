// Words of many texts, counted by several threads.
#include <algorithm>
#include <atomic>
#include <numeric>
#include <string>
#include <utility>

#include "text/added_tokens.h"
#include "text/training/byte_level_cutter.h"
#include "text/training/word_table.h"
#include "text/training/wordpiece_cutter.h"
#include "twotower/error.h"
#include "twotower/interrupt.h"
#include "twotower/vocabulary_training.h"
#include "util/parallel_for.h"

namespace twotower {
namespace {

constexpr std::size_t kChunkUnits = std::size_t{1} << 16;    // text that one thread takes at once
constexpr std::size_t kRoundUnits = std::size_t{1} << 26;    // text between two looks at the number of words
constexpr std::size_t kWaitingWords = std::size_t{1} << 20;  // that the threads may hold before they are put together

std::vector<AddedToken> as_added(const std::vector<std::string>& tokens) {
  std::vector<AddedToken> added;
  for (const std::string& token : tokens) {
    if (token.empty()) throw InvalidInput("a special token is empty");
    added.push_back({token, static_cast<std::int32_t>(added.size())});
  }
  return added;
}

}  // namespace

struct WordCounter::Parts {
  MakeCutter make;
  std::size_t max_words;
  std::vector<std::unique_ptr<WordCutter>> lanes;
  std::vector<std::string> buffers;  // one a lane
  WordTable words;

  void count(std::span<const StoredText> texts, std::size_t first, unsigned threads);
  void put_together();
};

WordCounter::WordCounter(MakeCutter make, std::size_t max_words)
    : parts_(std::make_unique<Parts>(Parts{std::move(make), max_words, {}, {}, {}})) {}
WordCounter::WordCounter(WordCounter&&) noexcept = default;
WordCounter::~WordCounter() = default;

WordCounter WordCounter::of_wordpiece(const WordPieceOptions& options, std::vector<std::string> special_tokens,
                                      std::size_t max_words) {
  auto added = std::make_shared<const AddedTokens>(as_added(special_tokens));
  return WordCounter([options, added] { return std::make_unique<WordPieceCutter>(options, *added); }, max_words);
}

WordCounter WordCounter::of_byte_level(const BpeOptions& options, std::vector<std::string> special_tokens,
                                       std::size_t max_words) {
  auto added = std::make_shared<const AddedTokens>(as_added(special_tokens));
  return WordCounter([options, added] { return std::make_unique<ByteLevelCutter>(options, *added); }, max_words);
}

void WordCounter::add(std::span<const StoredText> texts, std::size_t first, unsigned threads) {
  while (!texts.empty()) {
    std::size_t n = 0;
    for (std::size_t units = 0; n < texts.size() && units < kRoundUnits; ++n) units += texts[n].size;
    parts_->count(texts.first(n), first, threads);
    texts = texts.subspan(n);
    first += n;
  }
}

void WordCounter::Parts::count(std::span<const StoredText> texts, std::size_t first, unsigned threads) {
  std::vector<std::size_t> ends;  // of chunks
  std::size_t units = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    units += texts[i].size;
    if (units < kChunkUnits && i + 1 < texts.size()) continue;
    ends.push_back(i + 1);
    units = 0;
  }
  const std::size_t n_lanes = std::min<std::size_t>(resolve_threads(threads), ends.size());
  while (lanes.size() < n_lanes) lanes.push_back(make());
  if (buffers.size() < n_lanes) buffers.resize(n_lanes);
  std::atomic<std::size_t> next{0};
  parallel_for(n_lanes, threads, [&](std::size_t lane) {
    try {
      for (std::size_t chunk; (chunk = next.fetch_add(1)) < ends.size();) {
        for (std::size_t i = chunk == 0 ? 0 : ends[chunk - 1]; i < ends[chunk]; ++i) {
          lanes[lane]->count(utf8_of(texts[i], buffers[lane], "text", first + i));
        }
        check_interrupt();
      }
    } catch (...) {
      next.store(ends.size());
      throw;
    }
  });
  std::size_t waiting = 0;
  for (const auto& lane : lanes) waiting += lane->n_waiting();
  if (waiting > std::max(kWaitingWords, words.size())) put_together();
}

void WordCounter::Parts::put_together() {
  for (const auto& lane : lanes) lane->move_to(words);
  if (words.size() <= max_words) return;
  throw InvalidInput("the texts have more than " + std::to_string(max_words) +
                     " distinct words: raise max_words if there is memory for them, or train on fewer texts");
}

WordCounts WordCounter::take() {
  parts_->put_together();
  struct Entry {
    std::uint64_t count;
    std::size_t first, size;
  };
  std::vector<Entry> entries;
  std::string bytes;
  entries.reserve(parts_->words.size());
  parts_->words.for_each([&](std::string_view word, std::uint64_t count) {
    entries.push_back({count, bytes.size(), word.size()});
    bytes += word;
  });
  parts_->words = WordTable();
  const auto word = [&](const Entry& entry) { return std::string_view(bytes).substr(entry.first, entry.size); };
  std::sort(entries.begin(), entries.end(),
            [&](const Entry& a, const Entry& b) { return a.count != b.count ? a.count > b.count : word(a) < word(b); });
  WordCounts out;
  out.bytes.reserve(bytes.size());
  for (const Entry& entry : entries) {
    out.bytes += word(entry);
    out.offsets.push_back(out.bytes.size());
    out.counts.push_back(entry.count);
  }
  return out;
}

}  // namespace twotower
