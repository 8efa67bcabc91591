// The parts of byte-level BPE, each against plain code: alphabet, merges, composition, added tokens, whole batches.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/dispatch.h"
#include "text/added_tokens.h"
#include "text/bpe_merger.h"
#include "text/byte_alphabet.h"
#include "text/nfc.h"
#include "twotower/bpe.h"
#include "twotower/error.h"
#include "twotower/utf8.h"

using namespace twotower;
using Ids = std::vector<std::int32_t>;

namespace {

std::string letter(int byte) {
  char text[4];
  return {text, encode_utf8(alphabet_char(static_cast<unsigned char>(byte)), text)};
}

// All bytes, and random merges of tokens that are there already: as a training would give them.
struct Made {
  std::vector<VocabularyEntry> vocabulary;
  std::vector<BpeMerge> merges;
};

Made make(std::mt19937& generator, int n_letters, int n_merges) {
  Made made;
  std::vector<std::int32_t> usable;
  for (int byte = 0; byte < 256; ++byte) made.vocabulary.push_back({letter(byte), byte});
  for (int i = 0; i < n_letters; ++i) usable.push_back('a' + i);
  while (static_cast<int>(made.merges.size()) < n_merges) {
    const std::int32_t left = usable[generator() % usable.size()], right = usable[generator() % usable.size()];
    const std::string token =
        made.vocabulary[static_cast<std::size_t>(left)].token + made.vocabulary[static_cast<std::size_t>(right)].token;
    const auto found = std::find_if(made.vocabulary.begin(), made.vocabulary.end(),
                                    [&](const VocabularyEntry& entry) { return entry.token == token; });
    const auto id = static_cast<std::int32_t>(found - made.vocabulary.begin());
    if (found == made.vocabulary.end()) {
      made.vocabulary.push_back({token, id});
      usable.push_back(id);
    }
    made.merges.push_back({left, right, id});
  }
  return made;
}

// The definition: look at every pair, merge the leftmost one of the lowest rank, begin again.
Ids merge_plainly(const Made& made, const std::string& word) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::pair<std::size_t, std::int32_t>> ranks;
  for (std::size_t rank = 0; rank < made.merges.size(); ++rank) {
    ranks[{made.merges[rank].left, made.merges[rank].right}] = {rank, made.merges[rank].merged};
  }
  Ids ids(word.begin(), word.end());
  for (;;) {
    std::size_t best = made.merges.size(), at = 0;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto found = ranks.find({ids[i], ids[i + 1]});
      if (found == ranks.end() || found->second.first >= best) continue;
      best = found->second.first;
      at = i;
    }
    if (best == made.merges.size()) return ids;
    ids[at] = ranks[{ids[at], ids[at + 1]}].second;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

Ids encode(const Bpe& bpe, const std::string& text, unsigned threads = 1) {
  const std::vector<StoredText> texts(threads == 1 ? 1 : 500, {text.data(), text.size(), TextForm::kUtf8});
  EncodeRequest request;
  request.texts = texts;
  request.threads = threads;
  const EncodedBatch batch = bpe.encode(request);
  return {batch.ids.data(), batch.ids.data() + batch.ids.size()};
}

}  // namespace

TEST_CASE("alphabet: every byte has a character, and comes back") {
  CHECK(alphabet_char('a') == U'a');
  CHECK(alphabet_char(' ') == U'\u0120');
  CHECK(alphabet_char('\n') == U'\u010A');
  CHECK(alphabet_char(0xAD) == U'\u0143');
  std::string bytes;
  for (int byte = 1; byte < 255; ++byte) {
    REQUIRE(bytes_of_token(letter(byte), bytes));
    CHECK(bytes == std::string(1, static_cast<char>(byte)));
  }
  REQUIRE(bytes_of_token(letter(0), bytes));
  CHECK(bytes == std::string(1, static_cast<char>(kWordNul)));
  CHECK_FALSE(bytes_of_token(letter(255), bytes));
  CHECK_FALSE(bytes_of_token("a b", bytes));
  CHECK_FALSE(bytes_of_token("\u4E2D", bytes));
}

TEST_CASE("merges: short and long words are those of the definition") {
  std::mt19937 generator(1);
  BpeMerger::Scratch scratch;
  for (int round = 0; round < 60; ++round) {
    const Made made = make(generator, 1 + static_cast<int>(generator() % 5), 1 + static_cast<int>(generator() % 60));
    const BpeMerger merger(made.vocabulary, made.merges, false);
    for (const std::size_t size : {1, 2, 3, 7, 16, 39, 40, 41, 80, 300}) {
      std::string word(size, 'a');
      for (char& c : word) c = static_cast<char>('a' + generator() % 5);
      Ids ids(size);
      ids.resize(merger.merge(word, ids.data(), scratch));
      CAPTURE(word);
      REQUIRE(ids == merge_plainly(made, word));
    }
  }
}

TEST_CASE("merges: what is refused") {
  std::mt19937 generator(2);
  Made made = make(generator, 3, 10);
  made.merges.push_back({'a', 'b', 'c'});
  CHECK_THROWS_AS(BpeMerger(made.vocabulary, made.merges, false), InvalidInput);
  made.merges.back() = {'a', 99999, 'c'};
  CHECK_THROWS_AS(BpeMerger(made.vocabulary, made.merges, false), InvalidInput);
  made.merges.clear();
  std::erase_if(made.vocabulary, [](const VocabularyEntry& entry) { return entry.id == 0; });
  CHECK_THROWS_AS(BpeMerger(made.vocabulary, made.merges, false), InvalidInput);
}

TEST_CASE("composition: by hand, with places") {
  NfcNormalizer nfc;
  CHECK(nfc.normalize("plain \u00E9 \u4E2D \uAC01", true) == "plain \u00E9 \u4E2D \uAC01");
  CHECK_FALSE(nfc.changed());
  CHECK(nfc.normalize("xe\u0301y", true) == "x\u00E9y");
  CHECK(nfc.changed());
  CHECK(nfc.begin_of(1) == 1);
  CHECK(nfc.end_of(2) == 2);
  CHECK(nfc.begin_of(3) == 4);
  CHECK(nfc.normalize("\u1100\u1161\u11A8", false) == "\uAC01");
  CHECK(nfc.normalize("a\u0327\u0301", false) == "\u00E1\u0327");
  CHECK(nfc.normalize("a\u0301\u0327", false) == "\u00E1\u0327");
  CHECK(nfc.normalize("\u0301e\u0301", false) == "\u0301\u00E9");
  CHECK(nfc.normalize("\u212B", false) == "\u00C5");
  CHECK(nfc.normalize("e\u0301\u0301\u0301 e\u0301", false) == "\u00E9\u0301\u0301 \u00E9");
}

TEST_CASE("find_pair: every ISA finds what the scalar one finds") {
  std::mt19937 generator(3);
  const std::vector<AddedToken> tokens = {{"<s>", 1}, {"  ", 2}, {"|", 3}};
  kernels::PairFilter filter{};
  AddedTokens(tokens).add_to(filter);
  for (const auto* isa : kernels::runnable()) {
    CAPTURE(isa->name);
    for (const std::size_t size : {0, 1, 2, 31, 32, 33, 63, 64, 65, 130, 200}) {
      std::vector<std::uint8_t> text(size);
      for (int round = 0; round < 30; ++round) {
        for (auto& byte : text) byte = static_cast<std::uint8_t>("abcdefgh<s |"[generator() % (round < 20 ? 9 : 12)]);
        for (std::size_t from = 0; from <= size; from += 1 + size / 7) {
          CHECK(isa->text.find_pair(filter, text.data(), from, size) ==
                kernels::kScalar.text.find_pair(filter, text.data(), from, size));
        }
      }
    }
  }
}

TEST_CASE("batches: added tokens, spans, any number of threads") {
  std::mt19937 generator(4);
  const Made made = make(generator, 3, 20);
  const std::int32_t mask = 1000;
  const Bpe bpe(made.vocabulary, made.merges, {{"<m>", mask, true}, {"e\u0301", 1001, false, false, true}},
                {.nfc = true});
  const Ids found = encode(bpe, "ab  <m>e\u0301x");
  CHECK(found.size() >= 4);
  CHECK(std::count(found.begin(), found.end(), mask) == 1);
  CHECK(std::count(found.begin(), found.end(), 1001) == 1);
  CHECK(std::count(found.begin(), found.end(), ' ') == 0);
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "ab c\xC3\xA9"[generator() % 4];
  const Ids one = encode(bpe, text), many = encode(bpe, text, 3);
  REQUIRE(many.size() == 500 * one.size());
  for (std::size_t i = 0; i < many.size(); ++i) REQUIRE(many[i] == one[i % one.size()]);
}
