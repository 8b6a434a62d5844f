#include "server/classification_service.h"

#include <optional>
#include <utility>

#include "engine/base/status_macros.h"
#include "server/encode_call.h"
#include "server/encode_limits.h"
#include "server/lenient_request.pb.h"
#include "server/request_checks.h"

namespace attendant {
namespace {

template <typename Request>
std::optional<int32_t> TopKOf(const Request& request) {
  if (!request.has_top_k()) return std::nullopt;
  return request.top_k();
}

// labels and logits of a classification of whatever.
template <typename Request, typename Answer, typename Classification>
void WriteScores(const Request& request, const Answer& answer, absl::Span<const std::string> names,
                 Classification& classification) {
  for (v1::Label& label : TopLabels(answer.probabilities, names, TopKOf(request).value_or(kDefaultTopK))) {
    *classification.add_labels() = std::move(label);
  }
  if (request.return_logits()) {
    classification.mutable_logits()->Add(answer.logits.begin(), answer.logits.end());
  }
  *classification.mutable_timing() = ToProto(answer.timing);
}

struct ClassifyImageWork {
  using Request = v1::ClassifyImageRequest;
  using Response = v1::ClassifyImageResponse;
  using Answer = ImageClasses;
  static constexpr Method kMethod = Method::kClassifyImage;
  static constexpr Task kTask = Task::kClassifyImage;
  static constexpr char kInputField[] = "images";
  static constexpr RejectReason kInputReason = RejectReason::kImage;

  static MessageLimits Limits(const config::Limits& limits) { return ImageMessageLimits(limits); }
  static int Count(const Request& request) { return request.images_size(); }
  static absl::Status Check(const Request& request) {
    ATTENDANT_RETURN_IF_ERROR(CheckTopK(TopKOf(request)));
    return CheckPriority(request.priority());
  }
  static CancelHandle Submit(const EngineModel& engine, Request& request, int index, TimePoint deadline,
                             ImageModel::Done<Answer> done) {
    ClassifyImageRequest task;
    FillImageRequest(request, index, deadline, task);
    task.return_attention = request.return_attention_map();
    return engine.image->Classify(std::move(task), std::move(done));
  }
  static int32_t Tokens(const Answer&) { return 0; }
  static void Write(const EngineModel& engine, const Request& request, int, Answer answer,
                    Response& response) {
    v1::ImageClassification& result = *response.add_classifications();
    WriteScores(request, answer, engine.image->info().encoder.labels, result);
    if (request.return_attention_map()) *result.mutable_attention_map() = ToProto(answer.attention);
    result.set_width(answer.width);
    result.set_height(answer.height);
  }
};

struct ClassifyTextWork {
  using Request = server::LenientClassifyTextRequest;
  using Response = v1::ClassifyTextResponse;
  using Answer = TextClasses;
  static constexpr Method kMethod = Method::kClassifyText;
  static constexpr Task kTask = Task::kClassifyText;
  static constexpr char kInputField[] = "texts";
  static constexpr RejectReason kInputReason = RejectReason::kText;

  static MessageLimits Limits(const config::Limits& limits) { return TextMessageLimits(limits); }
  static int Count(const Request& request) { return request.texts_size(); }
  static absl::Status Check(const Request& request) {
    ATTENDANT_RETURN_IF_ERROR(CheckTopK(TopKOf(request)));
    return CheckPriority(request.priority());
  }
  static CancelHandle Submit(const EngineModel& engine, Request& request, int index, TimePoint deadline,
                             TextModel::Done<Answer> done) {
    TextRequest task;
    FillTextRequest(request, index, deadline, task);
    return engine.text->Classify(std::move(task), std::move(done));
  }
  static int32_t Tokens(const Answer& answer) { return answer.tokens; }
  static void Write(const EngineModel& engine, const Request& request, int, Answer answer,
                    Response& response) {
    v1::TextClassification& result = *response.add_classifications();
    WriteScores(request, answer, engine.text->info().encoder.labels, result);
    result.set_tokens(answer.tokens);
    result.set_truncated(answer.truncated);
  }
};

struct LabelTokensWork {
  using Request = server::LenientLabelTokensRequest;
  using Response = v1::LabelTokensResponse;
  using Answer = TextLabels;
  static constexpr Method kMethod = Method::kLabelTokens;
  static constexpr Task kTask = Task::kLabelTokens;
  static constexpr char kInputField[] = "texts";
  static constexpr RejectReason kInputReason = RejectReason::kText;

  static MessageLimits Limits(const config::Limits& limits) { return TextMessageLimits(limits); }
  static int Count(const Request& request) { return request.texts_size(); }
  static absl::Status Check(const Request& request) { return CheckPriority(request.priority()); }
  static CancelHandle Submit(const EngineModel& engine, Request& request, int index, TimePoint deadline,
                             TextModel::Done<Answer> done) {
    TextRequest task;
    FillTextRequest(request, index, deadline, task);
    return engine.text->Label(std::move(task), std::move(done));
  }
  static int32_t Tokens(const Answer& answer) { return answer.tokens; }
  static void Write(const EngineModel& engine, const Request& request, int index, Answer answer,
                    Response& response) {
    const std::vector<std::string>& labels = engine.text->info().encoder.labels;
    v1::TokenLabels& result = *response.add_texts();
    const std::string& text = request.texts(index);
    for (const LabelledSpan& word : answer.words) *result.add_words() = ToProto(word, text, {labels});
    for (const LabelledSpan& entity : answer.entities) {
      *result.add_entities() = ToProto(entity, text, {labels, /*without_prefix=*/true});
    }
    result.set_tokens(answer.tokens);
    result.set_truncated(answer.truncated);
    *result.mutable_timing() = ToProto(answer.timing);
  }
};

}  // namespace

grpc::ServerUnaryReactor* ClassificationServiceImpl::ClassifyImage(grpc::CallbackServerContext* context,
                                                                   const grpc::ByteBuffer* request,
                                                                   grpc::ByteBuffer* response) {
  return StartEncodeCall<ClassifyImageWork>(services_, *context, *request, *response);
}

grpc::ServerUnaryReactor* ClassificationServiceImpl::ClassifyText(grpc::CallbackServerContext* context,
                                                                  const grpc::ByteBuffer* request,
                                                                  grpc::ByteBuffer* response) {
  return StartEncodeCall<ClassifyTextWork>(services_, *context, *request, *response);
}

grpc::ServerUnaryReactor* ClassificationServiceImpl::LabelTokens(grpc::CallbackServerContext* context,
                                                                 const grpc::ByteBuffer* request,
                                                                 grpc::ByteBuffer* response) {
  return StartEncodeCall<LabelTokensWork>(services_, *context, *request, *response);
}

}  // namespace attendant
