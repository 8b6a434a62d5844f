#include "server/http/gateway.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/http/http_status.h"
#include "server/http/libretranslate_api.h"
#include "server/http/openai_api.h"

namespace attendant {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr int kThreads = 2;
constexpr int kMaxWaiting = 256;
constexpr absl::string_view kModelPath = "/v1/models/";
constexpr absl::string_view kAlivePath = "/livez";
constexpr absl::string_view kRetryAfterMs = "1000";

void Fail(HttpExchange& exchange, const absl::Status& status, absl::string_view retry_after_ms = "") {
  exchange.Answer(ErrorResponse(StyleOf(exchange.request().path), status, retry_after_ms));
}

void Succeed(HttpExchange& exchange, std::string body) {
  HttpResponse response;
  response.body = std::move(body);
  exchange.Answer(std::move(response));
}

// One gRPC call of an exchange.
template <typename Request, typename Response>
struct RpcCall {
  grpc::ClientContext context;
  Request request;
  Response response;
};

// What the headers say of a call. api_key: in the body, where LibreTranslate has it. Errors:
// INVALID_ARGUMENT.
absl::Status FillContext(const HttpRequest& request, const std::string& api_key,
                         grpc::ClientContext& context) {
  const std::string authorization = !request.authorization.empty() || api_key.empty()
                                        ? request.authorization
                                        : absl::StrCat("Bearer ", api_key);
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };  // gRPC aborts a call with others.
  if (!std::all_of(authorization.begin(), authorization.end(), is_plain)) {
    return absl::UnauthenticatedError("the key has characters that no key has");
  }
  if (!authorization.empty()) context.AddMetadata("authorization", authorization);
  if (request.timeout_ms.empty()) return absl::OkStatus();
  int64_t timeout_ms = 0;
  constexpr int64_t kMostMs = 24 * 3600 * 1000;
  if (!absl::SimpleAtoi(request.timeout_ms, &timeout_ms) || timeout_ms < 1 || timeout_ms > kMostMs) {
    return absl::InvalidArgumentError(
        absl::StrCat("X-Request-Timeout-Ms: must be 1 to ", kMostMs, " milliseconds"));
  }
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
  return absl::OkStatus();
}

std::string RetryAfterMs(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find("retry-after-ms");
  return found == trailers.end() ? std::string() : std::string(found->second.data(), found->second.size());
}

// Starts call with `start(call, on_done)`. When it has ended well then(call) goes on, with the duty to
// answer.
template <typename Request, typename Response, typename Start, typename Then>
void RunCall(CallGate& gate, const Exchange& exchange,
             const std::shared_ptr<RpcCall<Request, Response>>& call, const std::string& api_key, Start start,
             Then then) {
  const CallGate::Entry entry(gate);
  if (!entry.is_open()) return Fail(*exchange, absl::UnavailableError("the server is shutting down"));
  if (const absl::Status status = FillContext(exchange->request(), api_key, call->context); !status.ok()) {
    return Fail(*exchange, status);
  }
  exchange->OnGone([call] { call->context.TryCancel(); });
  start(*call, [exchange, call, then = std::move(then)](const grpc::Status& status) {
    if (!status.ok()) return Fail(*exchange, ToAbslStatus(status), RetryAfterMs(call->context));
    try {
      then(*call);
    } catch (const std::exception& error) {  // std::bad_alloc
      Fail(*exchange, absl::InternalError(absl::StrCat("the answer cannot be written: ", error.what())));
    }
  });
}

// Whether the classes of a text classifier are languages: "en", "de", ...
bool TellsLanguages(const v1::Model& model) {
  const auto is_code = [](const std::string& label) {
    return (label.size() == 2 || label.size() == 3) &&
           std::all_of(label.begin(), label.end(), absl::ascii_islower);
  };
  return model.state() == v1::Model::READY && model.labels_size() > 1 &&
         std::count(model.tasks().begin(), model.tasks().end(), "classify_text") > 0 &&
         std::all_of(model.labels().begin(), model.labels().end(), is_code);
}

// The first model that does, or "".
std::string LanguageModelOf(const v1::ListModelsResponse& models) {
  const auto found = std::find_if(models.models().begin(), models.models().end(), TellsLanguages);
  return found == models.models().end() ? std::string() : found->name();
}

absl::Status NoLanguageModel() {
  return absl::NotFoundError("no model of this server tells languages apart; name the source language");
}

using ListModelsCall = RpcCall<v1::ListModelsRequest, v1::ListModelsResponse>;
using ClassifyCall = RpcCall<v1::ClassifyTextRequest, v1::ClassifyTextResponse>;

// The most likely language of all texts together.
std::string CommonLanguage(const v1::ClassifyTextResponse& response) {
  std::map<std::string, float> sums;
  for (const v1::TextClassification& classes : response.classifications()) {
    for (const DetectedLanguage& one : LanguagesOf(classes)) sums[one.language] += one.probability;
  }
  const auto best = std::max_element(sums.begin(), sums.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return best == sums.end() ? std::string() : best->first;
}

}  // namespace

struct HttpGateway::Translation {
  Exchange exchange;
  TranslateForm form;
  std::vector<DetectedLanguage> detected;
};

HttpGateway::HttpGateway(std::shared_ptr<grpc::Channel> channel)
    : channel_(std::move(channel)),
      embedding_(v1::EmbeddingService::NewStub(channel_)),
      translation_(v1::TranslationService::NewStub(channel_)),
      classification_(v1::ClassificationService::NewStub(channel_)),
      models_(v1::ModelService::NewStub(channel_)),
      health_(grpc::health::v1::Health::NewStub(channel_)),
      started_(std::chrono::duration_cast<std::chrono::seconds>(
                   std::chrono::system_clock::now().time_since_epoch())
                   .count()),
      threads_(std::make_unique<ThreadPool>("http", kThreads)) {}

absl::StatusOr<std::unique_ptr<HttpGateway>> HttpGateway::Start(const HttpServer::Options& options,
                                                                std::shared_ptr<grpc::Channel> channel) {
  std::unique_ptr<HttpGateway> gateway(new HttpGateway(std::move(channel)));
  auto server = HttpServer::Start(
      options, [self = gateway.get()](Exchange exchange) { self->Receive(std::move(exchange)); });
  if (!server.ok()) return server.status();
  gateway->server_ = *std::move(server);
  return gateway;
}

HttpGateway::~HttpGateway() = default;

void HttpGateway::Receive(Exchange exchange) {
  // Costs nothing, and says that the process lives however much there is to read.
  if (exchange->request().path == kAlivePath) return Handle(exchange);
  if (num_waiting_.fetch_add(1) >= kMaxWaiting) {
    --num_waiting_;
    return Fail(*exchange, absl::UnavailableError("too many requests wait to be read"), kRetryAfterMs);
  }
  threads_->Post([this, exchange = std::move(exchange)] {
    --num_waiting_;
    Handle(exchange);
  });
}

void HttpGateway::Handle(const Exchange& exchange) {
  struct Route {
    absl::string_view method, path;
    void (HttpGateway::*handle)(const Exchange&);
  };
  static constexpr Route kRoutes[] = {
      {"POST", "/v1/embeddings", &HttpGateway::Embed},    {"GET", "/v1/models", &HttpGateway::ListModels},
      {"POST", "/translate", &HttpGateway::Translate},    {"POST", "/detect", &HttpGateway::Detect},
      {"GET", "/languages", &HttpGateway::ListLanguages}, {"GET", kAlivePath, &HttpGateway::AnswerAlive},
      {"GET", "/readyz", &HttpGateway::CheckReady},       {"GET", "/health", &HttpGateway::CheckReady},
      {"GET", kModelPath, &HttpGateway::GetModel},  // And what follows it.
  };
  const HttpRequest& request = exchange->request();
  const auto found = std::find_if(std::begin(kRoutes), std::end(kRoutes), [&](const Route& route) {
    return route.path == request.path ||
           (route.path == kModelPath && absl::StartsWith(request.path, kModelPath));
  });
  const ApiStyle style = StyleOf(request.path);
  if (found == std::end(kRoutes)) return exchange->Answer(ErrorResponse(style, 404, "there is no such path"));
  if (found->method != request.method) {
    HttpResponse response = ErrorResponse(style, 405, absl::StrCat("the method must be ", found->method));
    response.allow = std::string(found->method);
    return exchange->Answer(std::move(response));
  }
  try {
    (this->*found->handle)(exchange);
  } catch (const std::exception& error) {  // std::bad_alloc
    Fail(*exchange, absl::InternalError(error.what()));
  }
}

void HttpGateway::Embed(const Exchange& exchange) {
  absl::StatusOr<EmbeddingsRequest> parsed = ParseEmbeddings(exchange->request().body);
  if (!parsed.ok()) return Fail(*exchange, parsed.status());
  const auto call = std::make_shared<RpcCall<v1::EmbedTextRequest, v1::EmbedTextResponse>>();
  call->request = std::move(parsed->rpc);
  RunCall(
      gate_, exchange, call, "",
      [this](auto& c, auto done) {
        embedding_->async()->EmbedText(&c.context, &c.request, &c.response, std::move(done));
      },
      [exchange, is_base64 = parsed->is_base64](const auto& c) {
        Succeed(*exchange, WriteEmbeddings(c.response, is_base64));
      });
}

void HttpGateway::ListModels(const Exchange& exchange) {
  RunCall(
      gate_, exchange, std::make_shared<ListModelsCall>(), "",
      [this](auto& c, auto done) {
        models_->async()->ListModels(&c.context, &c.request, &c.response, std::move(done));
      },
      [this, exchange](const auto& c) { Succeed(*exchange, WriteModels(c.response, started_)); });
}

void HttpGateway::GetModel(const Exchange& exchange) {
  const auto call = std::make_shared<RpcCall<v1::GetModelRequest, v1::Model>>();
  call->request.set_name(exchange->request().path.substr(kModelPath.size()));
  RunCall(
      gate_, exchange, call, "",
      [this](auto& c, auto done) {
        models_->async()->GetModel(&c.context, &c.request, &c.response, std::move(done));
      },
      [this, exchange](const auto& c) { Succeed(*exchange, WriteModel(c.response, started_)); });
}

void HttpGateway::Translate(const Exchange& exchange) {
  const HttpRequest& request = exchange->request();
  absl::StatusOr<TranslateForm> form = ParseTranslate(request.body, request.content_type);
  if (!form.ok()) return Fail(*exchange, form.status());
  auto translation = std::make_shared<Translation>();
  translation->exchange = exchange;
  translation->form = *std::move(form);
  if (!translation->form.is_source_auto) return SendTranslation(translation);
  RunCall(
      gate_, exchange, std::make_shared<ListModelsCall>(), translation->form.api_key,
      [this](auto& c, auto done) {
        models_->async()->ListModels(&c.context, &c.request, &c.response, std::move(done));
      },
      [this, translation](const auto& c) {
        const std::string model = LanguageModelOf(c.response);
        if (model.empty()) return Fail(*translation->exchange, NoLanguageModel());
        const auto call = std::make_shared<ClassifyCall>();
        *call->request.mutable_texts() = translation->form.rpc.contents();
        call->request.set_model(model);
        RunCall(
            gate_, translation->exchange, call, translation->form.api_key,
            [this](auto& classify, auto done) {
              classification_->async()->ClassifyText(&classify.context, &classify.request, &classify.response,
                                                     std::move(done));
            },
            [this, translation](const auto& classified) {
              for (const v1::TextClassification& classes : classified.response.classifications()) {
                translation->detected.push_back(LanguagesOf(classes).front());
              }
              translation->form.rpc.set_source_language_code(CommonLanguage(classified.response));
              SendTranslation(translation);
            });
      });
}

void HttpGateway::SendTranslation(const std::shared_ptr<Translation>& translation) {
  const auto call = std::make_shared<RpcCall<v1::TranslateRequest, v1::TranslateResponse>>();
  call->request = translation->form.rpc;
  RunCall(
      gate_, translation->exchange, call, translation->form.api_key,
      [this](auto& c, auto done) {
        translation_->async()->Translate(&c.context, &c.request, &c.response, std::move(done));
      },
      [translation](const auto& c) {
        Succeed(*translation->exchange,
                WriteTranslation(c.response, translation->form, translation->detected));
      });
}

void HttpGateway::Detect(const Exchange& exchange) {
  const HttpRequest& request = exchange->request();
  absl::StatusOr<DetectForm> form = ParseDetect(request.body, request.content_type);
  if (!form.ok()) return Fail(*exchange, form.status());
  const auto classify = std::make_shared<ClassifyCall>();
  classify->request = std::move(form->rpc);
  RunCall(
      gate_, exchange, std::make_shared<ListModelsCall>(), form->api_key,
      [this](auto& c, auto done) {
        models_->async()->ListModels(&c.context, &c.request, &c.response, std::move(done));
      },
      [this, exchange, classify, key = form->api_key](const auto& c) {
        classify->request.set_model(LanguageModelOf(c.response));
        if (classify->request.model().empty()) return Fail(*exchange, NoLanguageModel());
        RunCall(
            gate_, exchange, classify, key,
            [this](auto& inner, auto done) {
              classification_->async()->ClassifyText(&inner.context, &inner.request, &inner.response,
                                                     std::move(done));
            },
            [exchange](const auto& inner) {
              Succeed(*exchange, WriteDetection(inner.response.classifications(0)));
            });
      });
}

void HttpGateway::ListLanguages(const Exchange& exchange) {
  RunCall(
      gate_, exchange,
      std::make_shared<RpcCall<v1::ListLanguagePairsRequest, v1::ListLanguagePairsResponse>>(), "",
      [this](auto& c, auto done) {
        translation_->async()->ListLanguagePairs(&c.context, &c.request, &c.response, std::move(done));
      },
      [exchange](const auto& c) { Succeed(*exchange, WriteLanguages(c.response)); });
}

void HttpGateway::AnswerAlive(const Exchange& exchange) {
  Succeed(*exchange, R"({"status":"ok"})");
}

void HttpGateway::CheckReady(const Exchange& exchange) {
  RunCall(
      gate_, exchange, std::make_shared<RpcCall<HealthCheckRequest, HealthCheckResponse>>(), "",
      [this](auto& c, auto done) {
        health_->async()->Check(&c.context, &c.request, &c.response, std::move(done));
      },
      [exchange](const auto& c) {
        if (c.response.status() == HealthCheckResponse::SERVING)
          return Succeed(*exchange, R"({"status":"ok"})");
        Fail(*exchange,
             absl::UnavailableError("not ready: models are loading, or the server is shutting down"));
      });
}

}  // namespace attendant
