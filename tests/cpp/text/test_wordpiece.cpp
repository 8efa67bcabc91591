// The parts of WordPiece, each against plain code: trie, matcher, normaliser, cache, order of chunks, whole batches.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "text/added_tokens.h"
#include "text/batch_encoder.h"
#include "text/bert_normalizer.h"
#include "text/byte_trie.h"
#include "text/ordered_ids.h"
#include "text/piece_cache.h"
#include "text/piece_matcher.h"
#include "twotower/error.h"
#include "twotower/wordpiece.h"

using namespace twotower;
using Ids = std::vector<std::int32_t>;
using Strings = std::vector<std::string>;

namespace {

std::vector<VocabularyEntry> numbered(const Strings& tokens) {
  std::vector<VocabularyEntry> vocabulary;
  for (const auto& token : tokens) vocabulary.push_back({token, static_cast<std::int32_t>(vocabulary.size())});
  return vocabulary;
}

// Longest match first as it is defined: at each place the longest token that fits.
Ids match_plainly(const std::map<std::string, std::int32_t>& vocabulary, const std::string& prefix,
                  const std::string& word) {
  Ids ids;
  for (std::size_t begin = 0; begin < word.size();) {
    std::size_t end = word.size();
    auto found = vocabulary.end();
    for (; end > begin; --end) {
      std::string piece = begin > 0 ? prefix : std::string();
      piece.append(word, begin, end - begin);
      found = vocabulary.find(piece);
      if (found != vocabulary.end()) break;
    }
    if (found == vocabulary.end()) return {};
    ids.push_back(found->second);
    begin = end;
  }
  return ids;
}

std::string random_word(std::mt19937& generator, std::size_t most, int letters) {
  std::string word(1 + generator() % most, 'a');
  for (char& c : word) c = static_cast<char>('a' + generator() % static_cast<unsigned>(letters));
  return word;
}

Strings words_of(const std::string& text, const WordPieceOptions& options = {}) {
  BertNormalizer normalizer(options);
  normalizer.normalize(text);
  Strings words;
  for (BertNormalizer::Word word; normalizer.next_word(word);) words.emplace_back(word.bytes);
  return words;
}

StoredText stored(const std::string& text) { return {text.data(), text.size(), TextForm::kUtf8}; }

const Strings kTokens = {"[UNK]", "a", "##a", "b", "##b", "ab", "##ab", "!", "é", "中", "[SEP]"};

Ids encode(const WordPiece& tokenizer, const Strings& texts, unsigned threads, const TokenTemplate* around = nullptr,
           std::size_t max_length = EncodeRequest::kNoLimit) {
  std::vector<StoredText> views;
  for (const auto& text : texts) views.push_back(stored(text));
  EncodeRequest request;
  request.texts = views;
  request.threads = threads;
  request.around = around;
  request.max_length = max_length;
  const EncodedBatch batch = tokenizer.encode(request);
  CHECK(batch.offsets.size() == texts.size() + 1);
  CHECK(static_cast<std::size_t>(batch.offsets.back()) == batch.ids.size());
  return {batch.ids.data(), batch.ids.data() + batch.ids.size()};
}

}  // namespace

TEST_CASE("trie: every key and no other, two roots") {
  std::mt19937 generator(1);
  std::map<std::string, std::int32_t> keys[2];
  std::vector<std::vector<ByteTrie::Key>> sets(2);
  for (int set = 0; set < 2; ++set) {
    for (int i = 0; i < 3000; ++i) keys[set].emplace(random_word(generator, 12, 4), i);
    for (const auto& [key, value] : keys[set]) sets[static_cast<std::size_t>(set)].emplace_back(key, value);
  }
  const ByteTrie trie(sets);
  const auto look_up = [&](int set, const std::string& key) {
    std::int32_t node = set;
    for (const char c : key) {
      node = trie.child(node, static_cast<std::uint8_t>(c));
      if (node == ByteTrie::kNone) return ByteTrie::kNone;
    }
    return trie.value(node);
  };
  for (int set = 0; set < 2; ++set) {
    for (const auto& [key, value] : keys[set]) CHECK(look_up(set, key) == value);
    for (int i = 0; i < 3000; ++i) {
      const std::string key = random_word(generator, 12, 4);
      const auto found = keys[set].find(key);
      CHECK(look_up(set, key) == (found == keys[set].end() ? ByteTrie::kNone : found->second));
    }
  }
}

TEST_CASE("trie: without keys") {
  const ByteTrie trie(std::vector<std::vector<ByteTrie::Key>>(1));
  for (int byte = 0; byte < 256; ++byte) CHECK(trie.child(0, static_cast<std::uint8_t>(byte)) == ByteTrie::kNone);
}

TEST_CASE("matcher: equal to the definition on random vocabularies and hostile words") {
  std::mt19937 generator(2);
  for (int round = 0; round < 300; ++round) {
    const std::string prefix = round % 3 == 0 ? "" : round % 3 == 1 ? "##" : "a";
    std::map<std::string, std::int32_t> vocabulary;
    for (int i = 0; i < 20; ++i) {
      const std::string token = random_word(generator, 6, 2);
      vocabulary.emplace(i % 2 == 0 ? token : prefix + token, i);
    }
    std::vector<VocabularyEntry> entries;
    for (const auto& [token, id] : vocabulary) entries.push_back({token, id});
    const PieceMatcher matcher(entries, prefix);
    for (int i = 0; i < 200; ++i) {
      const std::string word = random_word(generator, 30, 2);
      Ids ids(word.size());
      ids.resize(matcher.match(word, ids.data()));
      CHECK(ids == match_plainly(vocabulary, prefix, word));
    }
  }
}

TEST_CASE("matcher: a failure link leads over several pieces") {
  const auto vocabulary = numbered({"abcdx", "a", "##b", "##c", "##d", "##cdy", "##z"});
  const PieceMatcher matcher(vocabulary, "##");
  Ids ids(8);
  ids.resize(matcher.match("abcdz", ids.data()));
  CHECK(ids == Ids{1, 2, 3, 4, 6});
  CHECK(matcher.piece_bytes(0, true) == 5);
  CHECK(matcher.piece_bytes(5, false) == 3);
}

TEST_CASE("normaliser: words by hand") {
  CHECK(words_of("") == Strings{});
  CHECK(words_of("H\u00E9llo,World") == Strings{"hello", ",", "world"});
  CHECK(words_of("a\u4E2Db\uAC00") == Strings{"a", "\u4E2D", "b\u1100\u1161"});
  CHECK(words_of("a\u200Db\u00A0c\u2028d") == Strings{"ab", "c", "d"});
  CHECK(words_of(std::string("a\xFF") + "b") == Strings{"ab"});  // NUL
  CHECK(words_of("\u0130\u1E9E\u03A3") == Strings{"i\u00DF\u03C3"});
  WordPieceOptions raw{false, false, false, false, "[UNK]", "##", 100};
  CHECK(words_of("\u00C9\u4E2D\u000Bx\u0301", raw) == Strings{"\u00C9\u4E2D", "x\u0301"});
  raw.lowercase = true;
  CHECK(words_of("\u0130", raw) == Strings{"i\u0307"});
}

TEST_CASE("normaliser: canonical order of marks that stay, places by position") {
  BertNormalizer normalizer(WordPieceOptions{});
  normalizer.normalize("a\u302E\U0001D165");  // classes 224 and 216
  BertNormalizer::Word word;
  REQUIRE(normalizer.next_word(word));
  CHECK(word.bytes == "a\U0001D165\u302E");
  CHECK(word.n_chars == 3);
  CHECK(normalizer.begin_of(1) == 1);
  CHECK(normalizer.end_of(1) == 4);
  CHECK(normalizer.end_of(2) == 8);
}

TEST_CASE("added tokens: leftmost, then longest, with white space") {
  const std::vector<AddedToken> tokens = {{"[A]", 1}, {"[A]b", 2}, {"x", 3, true, true}};
  const AddedTokens added(tokens);
  AddedTokens::Match match;
  REQUIRE(added.find("[[A]bx", 0, match));
  CHECK((match.begin == 1 && match.end == 5 && match.id == 2));
  REQUIRE(added.find("[[A]b\u3000x\u2028 y", 5, match));
  CHECK((match.begin == 5 && match.end == 13 && match.id == 3));
  CHECK_FALSE(added.find("[A", 0, match));
  CHECK(added.first_byte() == -1);
  CHECK(AddedTokens(std::vector<AddedToken>{}).first_byte() == 0xFF);
}

TEST_CASE("cache: ids of every number and size come back, also from a larger table") {
  PieceTable table(8);
  std::map<std::string, Ids> expected;
  for (int n = 0; n <= 16; ++n) {
    for (const std::int32_t first : {1, 0xFFFFFF, 0x1000000, 0x7FFFFFF0}) {
      std::string key = std::to_string(n);
      key.append("x").append(std::to_string(first % 1000));
      Ids ids;
      for (int i = 0; i < n; ++i) ids.push_back(first + i % 8);
      expected.emplace(key, ids);
    }
  }
  const auto key_of = [](const std::string& text) {
    unsigned char bytes[16] = {};
    std::copy(text.begin(), text.end(), bytes);
    return PieceKey::of(bytes, text.size());
  };
  for (const auto& [key, ids] : expected) table.insert(key_of(key), ids);
  const auto larger = table.grown(9);
  std::size_t n_found = 0;
  for (const auto& [key, ids] : expected) {
    for (const PieceTable* t : {&table, &*larger}) {
      const PieceTable::Slot* const slot = t->find(key_of(key));
      if (slot == nullptr) continue;  // no slot was free near its home
      ++n_found;
      Ids found(32);
      found.resize(static_cast<std::size_t>(t->copy_ids(slot->ids(), found.data()) - found.data()));
      CHECK(found == ids);
    }
  }
  CHECK(n_found > expected.size());
  CHECK(table.find(key_of("other")) == nullptr);
}

TEST_CASE("cache: readers see a word whole or not at all") {
  PieceCache cache;
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  const auto key_of = [](std::uint64_t n) { return PieceKey{n * 256 + 1, n * 3}; };
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&] {
      while (!done) {
        const auto table = cache.table();
        for (std::uint64_t n = 0; n < 60'000; n += 7) {
          const PieceTable::Slot* const slot = table->find(key_of(n));
          if (slot == nullptr) continue;
          std::int32_t ids[16];
          const std::int32_t* const end = table->copy_ids(slot->ids(), ids);
          if (end - ids != static_cast<std::ptrdiff_t>(n % 9) || (n % 9 > 0 && ids[n % 9 - 1] != static_cast<int>(n)))
            ++wrong;
        }
      }
    });
  }
  auto seen = cache.table();
  for (std::uint64_t n = 0; n < 60'000; ++n) cache.remember(key_of(n), Ids(n % 9, static_cast<std::int32_t>(n)), seen);
  done = true;
  for (auto& reader : readers) reader.join();
  CHECK(wrong == 0);
  CHECK(seen->bits() > 16);
}

TEST_CASE("cache: several threads write at once, and what they wrote is there") {
  PieceTable table(16);
  constexpr std::uint64_t kKeys = 12'000;
  const auto key_of = [](std::uint64_t n) { return PieceKey{n * 256 + 1, n % 5}; };
  std::vector<std::thread> writers;
  for (std::uint64_t t = 0; t < 3; ++t) {
    writers.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < kKeys; ++i) {
        const std::uint64_t n = (i + t * kKeys / 3) % kKeys;  // all write all keys, and meet
        CHECK(table.insert(key_of(n), Ids(n % 9, static_cast<std::int32_t>(n))));
      }
    });
  }
  for (auto& writer : writers) writer.join();
  for (std::uint64_t n = 0; n < kKeys; ++n) {
    const PieceTable::Slot* const slot = table.find(key_of(n));
    REQUIRE(slot != nullptr);
    Ids found(16);
    found.resize(static_cast<std::size_t>(table.copy_ids(slot->ids(), found.data()) - found.data()));
    CHECK(found == Ids(n % 9, static_cast<std::int32_t>(n)));
  }
}

TEST_CASE("chunks are put in order whatever the order in which they come") {
  constexpr std::size_t kChunks = 500;
  OrderedIds ordered(kChunks, 1);
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 generator(t);
      IdBuffer ids;
      for (std::size_t chunk; (chunk = next++) < kChunks;) {
        const std::size_t n = chunk % 5 * 300;
        std::fill_n(ids.room(n), n, static_cast<std::int32_t>(chunk));
        ids.set_size(n);
        if (generator() % 4 == 0) std::this_thread::yield();
        ordered.bring(chunk, ids);
        CHECK(ids.size() == 0);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const IdBuffer all = ordered.take();
  std::size_t at = 0;
  for (std::size_t chunk = 0; chunk < kChunks; ++chunk) {
    for (std::size_t i = 0; i < chunk % 5 * 300; ++i) REQUIRE(all.data()[at++] == static_cast<std::int32_t>(chunk));
  }
  CHECK(at == all.size());
}

TEST_CASE("longest first: both texts fit the room and lose as little as they can") {
  for (std::size_t first = 0; first < 12; ++first) {
    for (std::size_t second = 0; second < 12; ++second) {
      for (std::size_t room = 0; room < 26; ++room) {
        const KeptTokens kept = longest_first({first, second}, room);
        CHECK(kept.first <= first);
        CHECK(kept.second <= second);
        CHECK(kept.first + kept.second == std::min(first + second, room));
        const std::size_t shorter = std::min({first, second, room / 2});
        if (first + second > room) CHECK(std::min(kept.first, kept.second) == shorter);
      }
    }
  }
}

TEST_CASE("stored forms: UTF-8 of each, and what is refused") {
  std::string buffer;
  const std::string expected = "a\u00E9\u4E2D" + std::string(20, 'x') + "\U0001D4D0";
  std::u16string ucs2 = u"a\u00E9\u4E2D" + std::u16string(20, u'x');
  std::u32string ucs4 = U"a\u00E9\u4E2D" + std::u32string(20, U'x') + U"\U0001D4D0";
  CHECK(utf8_of({ucs4.data(), ucs4.size(), TextForm::kUcs4}, buffer, "text", 0) == expected);
  CHECK(utf8_of({ucs2.data(), ucs2.size(), TextForm::kUcs2}, buffer, "text", 0) == expected.substr(0, 26));
  CHECK(utf8_of({"a\xE9", 2, TextForm::kLatin1}, buffer, "text", 0) == "a\u00E9");
  CHECK(utf8_of({}, buffer, "text", 0).empty());
  ucs2[2] = 0xDC00;
  ucs4[2] = 0x110000;
  CHECK_THROWS_WITH_AS(utf8_of({ucs2.data(), ucs2.size(), TextForm::kUcs2}, buffer, "text", 7),
                       doctest::Contains("text 7 has a lone surrogate, U+DC00, at character 2"), InvalidInput);
  CHECK_THROWS_AS(utf8_of({ucs4.data(), ucs4.size(), TextForm::kUcs4}, buffer, "text", 7), InvalidInput);
  CHECK_THROWS_WITH_AS(utf8_of({"a\xFF", 2, TextForm::kUtf8}, buffer, "pair", 7),
                       doctest::Contains("pair 7 is not valid UTF-8 at byte 1"), InvalidInput);
}

TEST_CASE("tokenizer: ids by hand, equal for every number of threads, cold and warm") {
  const WordPiece tokenizer(numbered(kTokens), {{"[SEP]", 10}}, {});
  CHECK(encode(tokenizer, {"Ab ABa!", "", "\u00C9 \u4E2Da[SEP]c"}, 1) == Ids{5, 5, 2, 7, 0, 9, 1, 10, 0});
  std::mt19937 generator(3);
  Strings texts;
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (int k = 0; k < 60; ++k)
      text += random_word(generator, 20, 2) + (k % 9 == 0 ? "\u00E9 " : k % 5 == 0 ? "! " : " ");
    texts.push_back(text);
  }
  const Ids expected = encode(WordPiece(numbered(kTokens), {}, {}), texts, 1);
  for (const unsigned threads : {1u, 2u, 5u}) {
    CHECK(encode(tokenizer, texts, threads) == expected);
    CHECK(encode(WordPiece(numbered(kTokens), {}, {}), texts, threads) == expected);
  }
}

TEST_CASE("tokenizer: room for the template, and texts cut to it") {
  const WordPiece tokenizer(numbered(kTokens), {}, {});
  const TokenTemplate around{{8}, {}, {9}};
  CHECK(encode(tokenizer, {"a a a", "b"}, 1, &around, 4) == Ids{8, 1, 1, 9, 8, 3, 9});
  CHECK_THROWS_AS(encode(tokenizer, {"a"}, 1, &around, 1), InvalidInput);
  CHECK_THROWS_WITH_AS(encode(tokenizer, {"a", "\xC3"}, 2), doctest::Contains("text 1 is not valid UTF-8"),
                       InvalidInput);
}

TEST_CASE("tokenizer: a vocabulary that is none is refused") {
  CHECK_THROWS_AS(WordPiece(numbered({"a"}), {}, {}), InvalidInput);
  CHECK_THROWS_AS(WordPiece(numbered({"[UNK]", "a", "a"}), {}, {}), InvalidInput);
  CHECK_THROWS_AS(WordPiece({{"[UNK]", 0}, {"a", 0}}, {}, {}), InvalidInput);
  CHECK_THROWS_AS(WordPiece({{"[UNK]", -1}}, {}, {}), InvalidInput);
  CHECK_THROWS_AS(WordPiece(numbered({"[UNK]", "\xFF"}), {}, {}), InvalidInput);
  CHECK_THROWS_AS(WordPiece(numbered({"[UNK]", std::string(1001, 'a')}), {}, {}), InvalidInput);
  CHECK_THROWS_AS(WordPiece(numbered({"[UNK]"}), {{"", 1}}, {}), InvalidInput);
}
