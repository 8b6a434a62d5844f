#pragma once

#include <grpcpp/grpcpp.h>

#include "attendant/v1/translation_service.grpc.pb.h"
#include "server/service_context.h"

namespace attendant {

// attendant.v1.TranslationService on gRPC's callback API. Takes messages as bytes, so that their structure is
// checked before memory is spent on them (server/message.h).
class TranslationServiceImpl final : public v1::TranslationService::WithRawCallbackMethod_Translate<
                                         v1::TranslationService::WithRawCallbackMethod_TranslateStream<
                                             v1::TranslationService::WithRawCallbackMethod_ListLanguagePairs<
                                                 v1::TranslationService::Service>>> {
 public:
  explicit TranslationServiceImpl(const ServiceContext& context) : services_(context) {}

  grpc::ServerUnaryReactor* Translate(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* TranslateStream(grpc::CallbackServerContext* context,
                                                              const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* ListLanguagePairs(grpc::CallbackServerContext* context,
                                              const grpc::ByteBuffer* request,
                                              grpc::ByteBuffer* response) override;

 private:
  const ServiceContext& services_;
};

}  // namespace attendant
