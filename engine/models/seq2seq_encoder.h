#pragma once

#include <memory>
#include <string>

#include "engine/models/seq2seq.h"
#include "engine/models/text_encoder.h"

namespace attendant {

// The encoder of an encoder-decoder as a TextEncoder without a head: the same packed weights, which it keeps
// alive. Info tells the whole model's parameters and bytes.
std::unique_ptr<TextEncoder> EncoderOf(std::shared_ptr<const Seq2Seq> model, std::string architecture);

}  // namespace attendant
