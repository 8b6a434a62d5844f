#include "server/embedding_service.h"

#include <utility>

#include "engine/base/status_macros.h"
#include "engine/tasks/sentence_modules.h"
#include "server/encode_call.h"
#include "server/encode_limits.h"
#include "server/lenient_request.pb.h"
#include "server/request_checks.h"

namespace attendant {
namespace {

struct EmbedTextWork {
  using Request = server::LenientEmbedTextRequest;
  using Response = v1::EmbedTextResponse;
  using Answer = TextEmbedding;
  static constexpr Method kMethod = Method::kEmbedText;
  static constexpr Task kTask = Task::kEmbedText;
  static constexpr char kInputField[] = "texts";
  static constexpr RejectReason kInputReason = RejectReason::kText;

  static MessageLimits Limits(const config::Limits& limits) { return TextMessageLimits(limits); }
  static int Count(const Request& request) { return request.texts_size(); }
  static absl::Status Check(const Request& request) {
    ATTENDANT_RETURN_IF_ERROR(CheckFormat(request.format()));
    return CheckPriority(request.priority());
  }
  static CancelHandle Submit(const EngineModel& engine, Request& request, int index, TimePoint deadline,
                             TextModel::Done<Answer> done) {
    EmbedTextRequest task;
    FillTextRequest(request, index, deadline, task);
    task.prompt = request.prompt();
    if (request.has_normalize()) task.normalize = request.normalize();
    task.dimensions = request.dimensions();
    return engine.text->Embed(std::move(task), std::move(done));
  }
  static int32_t Tokens(const Answer& answer) { return answer.tokens; }
  static void Write(const EngineModel&, const Request& request, int, Answer answer, Response& response) {
    v1::TextEmbedding& embedding = *response.add_embeddings();
    *embedding.mutable_vector() = ToProto(answer.values, request.format());
    embedding.set_tokens(answer.tokens);
    embedding.set_truncated(answer.truncated);
    *embedding.mutable_timing() = ToProto(answer.timing);
    response.set_tokens(response.tokens() + answer.tokens);
  }
};

struct EmbedImageWork {
  using Request = v1::EmbedImageRequest;
  using Response = v1::EmbedImageResponse;
  using Answer = ImageEmbedding;
  static constexpr Method kMethod = Method::kEmbedImage;
  static constexpr Task kTask = Task::kEmbedImage;
  static constexpr char kInputField[] = "images";
  static constexpr RejectReason kInputReason = RejectReason::kImage;

  static MessageLimits Limits(const config::Limits& limits) { return ImageMessageLimits(limits); }
  static int Count(const Request& request) { return request.images_size(); }
  static absl::Status Check(const Request& request) {
    ATTENDANT_RETURN_IF_ERROR(CheckFormat(request.format()));
    return CheckPriority(request.priority());
  }
  static CancelHandle Submit(const EngineModel& engine, Request& request, int index, TimePoint deadline,
                             ImageModel::Done<Answer> done) {
    ImageRequest task;
    FillImageRequest(request, index, deadline, task);
    return engine.image->Embed(std::move(task), std::move(done));
  }
  static int32_t Tokens(const Answer&) { return 0; }
  static void Write(const EngineModel&, const Request& request, int, Answer answer, Response& response) {
    if (request.normalize()) NormalizeLength(absl::MakeSpan(answer.values));
    v1::ImageEmbedding& embedding = *response.add_embeddings();
    *embedding.mutable_vector() = ToProto(answer.values, request.format());
    embedding.set_width(answer.width);
    embedding.set_height(answer.height);
    *embedding.mutable_timing() = ToProto(answer.timing);
  }
};

}  // namespace

grpc::ServerUnaryReactor* EmbeddingServiceImpl::EmbedText(grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request,
                                                          grpc::ByteBuffer* response) {
  return StartEncodeCall<EmbedTextWork>(services_, *context, *request, *response);
}

grpc::ServerUnaryReactor* EmbeddingServiceImpl::EmbedImage(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           grpc::ByteBuffer* response) {
  return StartEncodeCall<EmbedImageWork>(services_, *context, *request, *response);
}

}  // namespace attendant
