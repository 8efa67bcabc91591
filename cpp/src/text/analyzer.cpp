#include "twotower/analyzer.h"

#include <mutex>
#include <utility>

#include "text/analyzer_batch.h"
#include "text/term_cache.h"
#include "text/term_rules.h"
#include "twotower/error.h"

namespace twotower {

struct Analyzer::Parts {
  Parts(const AnalyzerOptions& options, Stemming how)
      : rules(options), stemming(std::move(how)), cache(std::make_shared<TermCache>()) {
    if (options.cjk_sizes == 0) throw InvalidInput("no size of CJK n-grams was given");
  }

  std::shared_ptr<TermCache> current_cache() {
    const std::lock_guard lock(mutex);
    if (cache->full()) cache = std::make_shared<TermCache>();
    return cache;
  }

  const TermRules rules;
  const Stemming stemming;
  std::mutex mutex;  // guards which cache is current
  std::shared_ptr<TermCache> cache;
};

Analyzer::Analyzer(AnalyzerOptions options, Stemmer stemmer)
    : parts_(std::make_unique<Parts>(options, Stemming{std::move(stemmer), {}})) {}

Analyzer::Analyzer(AnalyzerOptions options, StemmerFactory stemmer)
    : parts_(std::make_unique<Parts>(options, Stemming{{}, std::move(stemmer)})) {}

Analyzer::~Analyzer() = default;

AnalyzedBatch Analyzer::term_ids(const AnalyzeRequest& request) const {
  return AnalyzerBatch(parts_->rules, parts_->stemming, [this] { return parts_->current_cache(); }, request).run();
}

}  // namespace twotower
