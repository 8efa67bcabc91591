// Snowball by the functions of a libstemmer that is loaded already.
#include <memory>
#include <new>

#include "twotower/analyzer.h"
#include "twotower/error.h"

namespace twotower {
namespace {

class SnowballStemmer final : public WordStemmer {
 public:
  SnowballStemmer(const SnowballLibrary& library, const std::string& algorithm)
      : library_(library), stemmer_(library.create(algorithm.c_str(), "UTF_8")) {
    if (stemmer_ == nullptr) throw InvalidInput("the Snowball library has no stemmer '" + algorithm + "'");
  }
  SnowballStemmer(const SnowballStemmer&) = delete;
  SnowballStemmer& operator=(const SnowballStemmer&) = delete;
  ~SnowballStemmer() override { library_.destroy(stemmer_); }

  std::string_view stem(std::string_view word) override {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(word.data());
    const unsigned char* const stem = library_.stem(stemmer_, bytes, static_cast<int>(word.size()));
    if (stem == nullptr) throw std::bad_alloc();
    return {reinterpret_cast<const char*>(stem), static_cast<std::size_t>(library_.length(stemmer_))};
  }

 private:
  const SnowballLibrary library_;
  void* const stemmer_;
};

}  // namespace

StemmerFactory snowball_stemmer(const SnowballLibrary& library, const std::string& algorithm) {
  SnowballStemmer(library, algorithm);  // refuses an unknown one now
  return [library, algorithm] { return std::make_unique<SnowballStemmer>(library, algorithm); };
}

}  // namespace twotower
