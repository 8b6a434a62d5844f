#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/models/text_encoder.h"
#include "engine/tasks/sentence_modules.h"
#include "engine/tasks/text_model.h"
#include "engine/text/hf/text_tokenizer.h"

namespace attendant {

// What a TextModel is made of, checked to fit.
struct TextParts {
  std::unique_ptr<TextEncoder> encoder;
  std::unique_ptr<SequenceTokenizer> tokenizer;
  SentenceModules modules;
  // How many tokens do not count in pooling, by the text of the prompt; a prompt that is not here: none.
  std::map<std::string, int32_t> skipped;
  TextModel::Info info;  // All but the workers and the time that loading took.
};

// FAILED_PRECONDITION: the parts do not fit each other.
absl::StatusOr<TextParts> FitTextParts(std::unique_ptr<TextEncoder> encoder,
                                       std::unique_ptr<SequenceTokenizer> tokenizer, SentenceModules modules);

// A model whose texts wait and run with the other jobs of a scheduler, as EncodePipeline has it; its
// executors run TextJobs with parts.encoder.
std::unique_ptr<TextModel> MakeTextModel(TextParts parts, const EncodePipelineOptions& options,
                                         Scheduler& scheduler, SchedulerObserver& observer,
                                         const Clock& clock);

}  // namespace attendant
