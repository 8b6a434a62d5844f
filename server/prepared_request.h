#pragma once

#include <grpcpp/grpcpp.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/tasks/translator.h"
#include "server/service_context.h"

namespace attendant {

// A TranslateRequest that has passed every check that needs no computing.
struct PreparedRequest {
  ServedModel model;
  std::vector<std::string> contents;
  TranslationOptions options;
  int priority = 0;
  TimePoint deadline = kInfiniteFuture;
};

// Parses and checks a serialised TranslateRequest. Errors, with a RejectReason: as translation_service.proto
// says.
absl::StatusOr<PreparedRequest> PrepareRequest(const ServiceContext& context, const grpc::ByteBuffer& message,
                                               TimePoint deadline);

}  // namespace attendant
