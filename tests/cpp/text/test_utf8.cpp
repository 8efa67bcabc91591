#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "twotower/error.h"
#include "twotower/utf8.h"

using namespace twotower;
using namespace std::string_literals;

namespace {
constexpr auto kValid = std::string_view::npos;
}

TEST_CASE("utf8: every scalar value is valid, and encodes and decodes to itself") {
  std::string all;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    char bytes[4];
    const char* const end = encode_utf8(c, bytes);
    const char* at = bytes;
    if (decode_utf8(at) != c || at != end) FAIL("code point " << static_cast<unsigned>(c));
    all.append(bytes, static_cast<std::size_t>(end - bytes));
  }
  CHECK(first_invalid_utf8(all) == kValid);
}

TEST_CASE("utf8: malformed sequences are refused at their first byte") {
  const std::string malformed[] = {
      "\x80"s,              // continuation without a lead
      "\xBF"s,              //
      "\xC0\x80"s,          // overlong U+0000
      "\xC1\xBF"s,          // overlong U+007F
      "\xE0\x80\x80"s,      // overlong, 3 bytes
      "\xE0\x9F\xBF"s,      // overlong U+07FF
      "\xF0\x80\x80\x80"s,  // overlong, 4 bytes
      "\xF0\x8F\xBF\xBF"s,  // overlong U+FFFF
      "\xED\xA0\x80"s,      // surrogate U+D800
      "\xED\xBF\xBF"s,      // surrogate U+DFFF
      "\xF4\x90\x80\x80"s,  // U+110000
      "\xF5\x80\x80\x80"s,  // lead that nothing uses
      "\xFE"s,              //
      "\xFF"s,              //
      "\xC3"s,              // cut off
      "\xE2\x82"s,          //
      "\xF0\x9F\x98"s,      //
      "\xC3("s,             // lead without a continuation
      "\xE2\x82("s,         //
      "\xF0\x9F\x98("s,     //
  };
  for (const std::string& bad : malformed) {
    // Before and behind stand texts of every length around the eight-byte step.
    for (std::size_t before = 0; before < 18; ++before) {
      for (const std::size_t behind : {0u, 1u, 7u, 9u}) {
        const std::string text = std::string(before, 'a') + bad + std::string(behind, 'b');
        CAPTURE(before);
        CHECK(first_invalid_utf8(text) == before);
      }
    }
  }
}

TEST_CASE("utf8: edges of each length are valid") {
  for (const std::string& good : {""s, "\0"s, "\x7F"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xED\x9F\xBF"s,
                                  "\xEE\x80\x80"s, "\xEF\xBF\xBF"s, "\xF0\x90\x80\x80"s, "\xF4\x8F\xBF\xBF"s}) {
    for (std::size_t before = 0; before < 10; ++before) {
      CHECK(first_invalid_utf8(std::string(before, 'a') + good + "bc") == kValid);
    }
  }
}

TEST_CASE("utf8: the error names text and byte") {
  CHECK_NOTHROW(check_utf8("love", 0));
  CHECK_THROWS_WITH_AS(check_utf8("ab\xFF", 7), doctest::Contains("text 7 is not valid UTF-8 at byte 2"), InvalidInput);
}
