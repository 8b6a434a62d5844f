#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "attendant/v1/embedding_service.pb.h"
#include "attendant/v1/model_service.pb.h"

namespace attendant {

// OpenAI's shapes of embeddings and models, from and to our messages.
// Source: https://platform.openai.com/docs/api-reference/embeddings and .../models.

struct EmbeddingsRequest {
  v1::EmbedTextRequest rpc;
  bool is_base64 = false;  // The numbers as base64 of little-endian float32.
};

// body: the JSON of POST /v1/embeddings. Fields that it does not know are ignored, as is `user`. Errors:
// INVALID_ARGUMENT names the field; also for token ids, which mean something else to each model.
absl::StatusOr<EmbeddingsRequest> ParseEmbeddings(const std::string& body);
// A number is written in as few digits as give the same float back.
std::string WriteEmbeddings(const v1::EmbedTextResponse& response, bool is_base64);

// Of models that are ready. created: seconds since 1970.
std::string WriteModels(const v1::ListModelsResponse& models, int64_t created);
std::string WriteModel(const v1::Model& model, int64_t created);

}  // namespace attendant
