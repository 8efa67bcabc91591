// What a list of tokens and a list of added tokens must be, whatever tokenizer they are of.
#pragma once

#include <vector>

#include "twotower/token_batch.h"

namespace twotower {

/// Returns its argument. THROWS InvalidInput if a token is malformed UTF-8, longer than 1,000 bytes or comes twice, or
/// an id is negative or comes twice.
const std::vector<VocabularyEntry>& checked(const std::vector<VocabularyEntry>& vocabulary);

/// Returns its argument. THROWS InvalidInput if a token is empty or malformed UTF-8.
const std::vector<AddedToken>& checked(const std::vector<AddedToken>& added);

}  // namespace twotower
