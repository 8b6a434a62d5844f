#include "tests/load/soak_calls.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "attendant/v1/classification_service.grpc.pb.h"
#include "attendant/v1/embedding_service.grpc.pb.h"
#include "attendant/v1/model_service.grpc.pb.h"
#include "attendant/v1/translation_service.grpc.pb.h"
#include "inference/open_inference_grpc.grpc.pb.h"

namespace attendant {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using grpc::StatusCode;
using std::chrono::milliseconds;
using ChannelPtr = std::shared_ptr<grpc::Channel>;

constexpr char kTranslator[] = "translate-en-de";
constexpr char kTextClassifier[] = "classify-language";
constexpr char kTextEmbedder[] = "embed-en-de";
constexpr char kImageClassifier[] = "classify-cifar10";
constexpr int kTexts = 24;
constexpr int kLongTexts = 8;  // Few: all are answered before the load.
constexpr int kImages = 2;

// What takes longer hangs.
constexpr std::chrono::minutes kHangs(1);

void ClearTimings(Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    if (field->name() == "timing") {
      message.GetReflection()->ClearField(&message, field);
    } else if (!field->is_repeated()) {
      ClearTimings(*message.GetReflection()->MutableMessage(&message, field));
    } else {
      for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
        ClearTimings(*message.GetReflection()->MutableRepeatedMessage(&message, field, i));
      }
    }
  }
}

std::string EssenceOf(Message& message) {
  ClearTimings(message);
  std::string bytes;
  google::protobuf::io::StringOutputStream sink(&bytes);
  google::protobuf::io::CodedOutputStream out(&sink);
  out.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&out);
  out.Trim();
  return bytes;
}

template <typename Stub, typename Request, typename Response>
Answer Unary(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
             const ChannelPtr& channel, grpc::ClientContext& context, const Request& request) {
  Stub stub(channel);
  Response response;
  Answer answer;
  answer.status = (stub.*method)(&context, request, &response);
  if (answer.status.ok()) answer.essence = EssenceOf(response);
  return answer;
}

// All different, of one to four sentences.
std::string TextOf(int variant) {
  const char* const subjects[] = {"The old man", "A young woman", "My neighbour", "The teacher", "Nobody"};
  const char* const objects[] = {"a book",   "three houses", "the letter", "some bread",
                                 "his keys", "a car",        "the map"};
  std::string text;
  for (int i = 0; i <= variant % 4; ++i) {
    absl::StrAppend(&text, subjects[(variant + i) % 5], " buys ", objects[(variant + 3 * i) % 7], " on day ",
                    10 * variant + i, ". ");
  }
  return text;
}

// So long that calls which end early mostly end within.
std::string LongText(int variant) {
  std::string text;
  for (int i = 0; i < 6; ++i) absl::StrAppend(&text, TextOf(4 * (variant + i) + 3));
  return text;
}

std::string ImageOf(int variant) {
  const char* const names[kImages] = {"cat.jpg", "chelsea.jpg"};
  std::ifstream in(absl::StrCat(ATTENDANT_SOURCE_DIR, "/docs/samples/", names[variant]), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

v1::TranslateRequest Translation(const std::string& text, int beam, int hypotheses = 1) {
  v1::TranslateRequest request;
  request.set_model(kTranslator);
  request.add_contents(text);
  request.mutable_options()->set_beam_size(beam);
  request.mutable_options()->set_num_hypotheses(hypotheses);
  return request;
}

Answer Translate(const ChannelPtr& channel, grpc::ClientContext& context,
                 const v1::TranslateRequest& request) {
  return Unary(&v1::TranslationService::Stub::Translate, channel, context, request);
}

// What a stream tells in the end, in the order of the text.
Answer TranslateStream(const ChannelPtr& channel, grpc::ClientContext& context,
                       const v1::TranslateRequest& request) {
  v1::TranslationService::Stub stub(channel);
  const auto reader = stub.TranslateStream(&context, request);
  std::map<std::pair<int, int>, std::string> parts;
  v1::TranslateStreamResponse event;
  while (reader->Read(&event)) {
    if (event.has_growing_text()) continue;
    std::pair<int, int> place(-1, event.has_finished() ? 1 : 0);
    if (event.has_sentence()) place = {event.sentence().content_index(), event.sentence().sentence_index()};
    if (event.has_content()) place = {event.content().content_index(), -1};
    parts[place] = EssenceOf(event);
  }
  Answer answer;
  answer.status = reader->Finish();
  for (const auto& [place, part] : parts) {
    absl::StrAppend(&answer.essence, place.first, ",", place.second, ":", part);
  }
  return answer;
}

Answer Embed(const ChannelPtr& channel, grpc::ClientContext& context, int variant) {
  v1::EmbedTextRequest request;
  request.set_model(kTextEmbedder);
  request.add_texts(TextOf(variant));
  request.set_format(variant % 2 == 0 ? v1::VECTOR_FORMAT_FLOAT32 : v1::VECTOR_FORMAT_INT8);
  return Unary(&v1::EmbeddingService::Stub::EmbedText, channel, context, request);
}

Answer ClassifyTexts(const ChannelPtr& channel, grpc::ClientContext& context, int variant) {
  v1::ClassifyTextRequest request;
  request.set_model(kTextClassifier);
  for (int i = 0; i <= variant % 8; ++i) request.add_texts(TextOf(variant + i));
  request.set_return_logits(true);
  return Unary(&v1::ClassificationService::Stub::ClassifyText, channel, context, request);
}

Answer ClassifyImages(const ChannelPtr& channel, grpc::ClientContext& context,
                      const std::vector<std::string>& images) {
  v1::ClassifyImageRequest request;
  request.set_model(kImageClassifier);
  for (const std::string& image : images) request.add_images(image);
  request.set_return_logits(true);
  request.set_return_attention_map(true);
  return Unary(&v1::ClassificationService::Stub::ClassifyImage, channel, context, request);
}

Answer Infer(const ChannelPtr& channel, grpc::ClientContext& context, const std::string& model,
             const std::string& input, const std::string& element) {
  inference::ModelInferRequest request;
  request.set_model_name(model);
  inference::ModelInferRequest::InferInputTensor& tensor = *request.add_inputs();
  tensor.set_name(input);
  tensor.set_datatype("BYTES");
  tensor.add_shape(1);
  tensor.mutable_contents()->add_bytes_contents(element);
  return Unary(&inference::GRPCInferenceService::Stub::ModelInfer, channel, context, request);
}

Answer InferOneOfAll(const ChannelPtr& channel, grpc::ClientContext& context, int variant) {
  const char* const texts[] = {kTranslator, kTextClassifier, kTextEmbedder};
  if (variant % 4 == 3) return Infer(channel, context, kImageClassifier, "image", ImageOf(variant / 4 % 2));
  return Infer(channel, context, texts[variant % 4], "text", TextOf(variant));
}

Answer ListModels(const ChannelPtr& channel, grpc::ClientContext& context, int) {
  v1::ModelService::Stub stub(channel);
  v1::ListModelsResponse response;
  Answer answer;
  answer.status = stub.ListModels(&context, {}, &response);
  for (const v1::Model& model : response.models()) absl::StrAppend(&answer.essence, model.name(), " ");
  return answer;
}

// protobuf itself sends no such string; as a field that it does not know it does.
Answer TranslateInvalidUtf8(const ChannelPtr& channel, grpc::ClientContext& context, int variant) {
  constexpr int kContents = 1;
  v1::TranslateRequest request;
  request.set_model(kTranslator);
  request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(
      kContents, absl::StrCat("Good \xff\xc0", TextOf(variant), "\xe2\x82"));
  return Translate(channel, context, request);
}

Answer TranslateByInvalidName(const ChannelPtr& channel, grpc::ClientContext& context, int variant) {
  constexpr int kModelField = 4;
  v1::TranslateRequest request;
  request.add_contents(TextOf(variant));
  request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(
      kModelField, variant % 2 == 0 ? "no\xff" : "../etc");
  return Translate(channel, context, request);
}

// Takes a connection, says something or nothing, and goes.
Answer KnockAndGo(int port, int variant) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string words[] = {"", "GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                               std::string(64, '\xff')};
  const std::string& said = words[variant % 4];
  const bool is_connected = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  if (is_connected) (void)!send(fd, said.data(), said.size(), MSG_NOSIGNAL);
  close(fd);
  return {is_connected ? grpc::Status::OK : grpc::Status(StatusCode::UNAVAILABLE, "no connection"), ""};
}

// Connected: a channel of gRPC's that is let go while it connects may keep its connection for good.
ChannelPtr NewConnection(int port) {
  ChannelPtr channel = SoakChannel(port);
  channel->WaitForConnected(std::chrono::system_clock::now() + kHangs);
  return channel;
}

std::vector<SoakKind> GoodKinds() {
  const std::vector<StatusCode> ok = {StatusCode::OK};
  return {
      {"translate, greedy", 20, kTexts, ok,
       [](auto& channel, auto& context, int i) {
         return Translate(channel, context, Translation(TextOf(i), 1));
       }},
      {"translate, beam 4", 10, kTexts, ok,
       [](auto& channel, auto& context, int i) {
         return Translate(channel, context, Translation(TextOf(i), 4));
       }},
      {"translate, 3 best, all extras", 5, kTexts, ok,
       [](auto& channel, auto& context, int i) {
         v1::TranslateRequest request = Translation(TextOf(i), 4, 3);
         request.mutable_options()->set_return_alignment(true);
         request.mutable_options()->set_return_token_scores(true);
         return Translate(channel, context, request);
       }},
      {"translate, stream", 10, kTexts, ok,
       [](auto& channel, auto& context, int i) {
         return TranslateStream(channel, context, Translation(TextOf(i), 1));
       }},
      {"translate, not UTF-8", 3, kTexts, ok, TranslateInvalidUtf8},
      {"embed text", 15, kTexts, ok, Embed},
      {"classify texts", 15, kTexts, ok, ClassifyTexts},
      {"classify image", 10, kImages, ok,
       [](auto& channel, auto& context, int i) { return ClassifyImages(channel, context, {ImageOf(i)}); }},
      {"ModelInfer, all models", 15, kTexts, ok, InferOneOfAll},
      {"list models", 3, 1, ok, ListModels},
  };
}

std::vector<SoakKind> EarlyKinds() {
  const std::vector<StatusCode> cancelled = {StatusCode::OK, StatusCode::CANCELLED};
  const std::vector<StatusCode> late = {StatusCode::OK, StatusCode::DEADLINE_EXCEEDED,
                                        StatusCode::RESOURCE_EXHAUSTED};
  const auto beam = [](auto& channel, auto& context, int i) {
    return Translate(channel, context, Translation(LongText(i), 4));
  };
  const auto stream = [](auto& channel, auto& context, int i) {
    return TranslateStream(channel, context, Translation(LongText(i), 1));
  };
  return {
      {"cancelled, beam 4", 4, kLongTexts, cancelled, beam, milliseconds(0), milliseconds(48)},
      {"cancelled, stream", 4, kLongTexts, cancelled, stream, milliseconds(0), milliseconds(48)},
      {"short deadline, beam 4", 4, kLongTexts, late, beam, milliseconds(48)},
      {"short deadline, stream", 4, kLongTexts, late, stream, milliseconds(48)},
      {"short deadline, embed", 4, kTexts, late, Embed, milliseconds(24)},
  };
}

std::vector<SoakKind> BadKinds() {
  const std::vector<StatusCode> invalid = {StatusCode::INVALID_ARGUMENT};
  return {
      {"model name is none", 2, kTexts, invalid, TranslateByInvalidName},
      {"unknown model",
       2,
       kTexts,
       {StatusCode::NOT_FOUND},
       [](auto& channel, auto& context, int i) {
         v1::TranslateRequest request = Translation(TextOf(i), 1);
         request.set_model(absl::StrCat("nobody-", i));
         return Translate(channel, context, request);
       }},
      {"wrong beam", 2, 1, invalid,
       [](auto& channel, auto& context, int) {
         return Translate(channel, context, Translation("Yes.", 1000));
       }},
      {"text over its limit", 1, 1, invalid,
       [](auto& channel, auto& context, int) {
         return Translate(channel, context, Translation(std::string((1 << 20) + 1, 'a'), 1));
       }},
      {"message over its limit",
       1,
       1,
       {StatusCode::RESOURCE_EXHAUSTED},
       [](auto& channel, auto& context, int) {
         return Translate(channel, context, Translation(std::string(5 << 20, 'a'), 1));
       }},
      {"garbage for an image", 2, kTexts, invalid,
       [](auto& channel, auto& context, int i) {
         const std::string head = ImageOf(0).substr(0, static_cast<size_t>(40 * i));
         return ClassifyImages(channel, context, {ImageOf(1), head + std::string(1000, '\x5a')});
       }},
      {"ModelInfer, wrong tensor", 2, 1, invalid,
       [](auto& channel, auto& context, int) {
         return Infer(channel, context, kTextClassifier, "no such input", "Yes.");
       }},
  };
}

std::vector<SoakKind> ConnectionKinds(int port) {
  const std::vector<StatusCode> ok = {StatusCode::OK};
  return {
      {"new connection", 8, kTexts, ok,
       [port](auto&, auto& context, int i) { return ClassifyTexts(NewConnection(port), context, i); }},
      {"new connection, left early",
       4,
       kLongTexts,
       {StatusCode::OK, StatusCode::CANCELLED},
       [port](auto&, auto& context, int i) {
         return TranslateStream(NewConnection(port), context, Translation(LongText(i), 1));
       },
       milliseconds(0),
       milliseconds(48)},
      {"connection without a call", 4, 4, ok, [port](auto&, auto&, int i) { return KnockAndGo(port, i); }},
  };
}

milliseconds PartOf(milliseconds longest, const SoakKind& kind, int variant) {
  return std::max(milliseconds(1), longest * (variant + 1) / kind.variants);
}

}  // namespace

bool SoakKind::Allows(StatusCode code) const {
  return std::find(allowed.begin(), allowed.end(), code) != allowed.end();
}

std::vector<SoakKind> SoakKinds(int port) {
  std::vector<SoakKind> kinds = GoodKinds();
  for (const std::vector<SoakKind>& more : {EarlyKinds(), BadKinds(), ConnectionKinds(port)}) {
    kinds.insert(kinds.end(), more.begin(), more.end());
  }
  return kinds;
}

ChannelPtr SoakChannel(int port) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials(),
                                   arguments);
}

Answer Ask(const SoakKind& kind, const ChannelPtr& channel, int variant, Pace pace) {
  grpc::ClientContext context;
  const bool is_short = pace == Pace::kAsTheKindSays && kind.longest_deadline.count() > 0;
  const bool is_cancelled = pace == Pace::kAsTheKindSays && kind.latest_cancel.count() > 0;
  context.set_deadline(std::chrono::system_clock::now() +
                       (is_short ? PartOf(kind.longest_deadline, kind, variant) : milliseconds(kHangs)));
  std::thread canceller;
  if (is_cancelled) {
    canceller = std::thread([&] {
      std::this_thread::sleep_for(PartOf(kind.latest_cancel, kind, variant));
      context.TryCancel();
    });
  }
  Answer answer = kind.ask(channel, context, variant);
  if (canceller.joinable()) canceller.join();
  return answer;
}

}  // namespace attendant
