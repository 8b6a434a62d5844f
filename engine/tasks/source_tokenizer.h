#pragma once

#include <memory>

#include "engine/text/hf/text_tokenizer.h"
#include "engine/text/tokenizer.h"

namespace attendant {

// A translation model's tokenizer as its encoder is fed: the ids of a text as a source, no language put
// before them, and the end token, which stays when the text is cut off. Ids and truncation are those of
// `transformers`. EncodeOptions: without special tokens there is no end token; max_tokens 0 is no limit.
// Where in the text a token comes from is not known: spans are empty, and each token counts as a word.
std::unique_ptr<SequenceTokenizer> SourceTokenizer(std::shared_ptr<const Tokenizer> tokenizer);

}  // namespace attendant
