#include <google/protobuf/util/json_util.h>
#include <grpcpp/client_context.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "attendant/v1/model_service.grpc.pb.h"
#include "client/commands.h"
#include "client/connection.h"
#include "client/grpc_status.h"
#include "client/model_table.h"
#include "client/output_file.h"
#include "client/stop_signal.h"
#include "client/table.h"

namespace attendant::client {
namespace {

using Json = nlohmann::ordered_json;

struct ModelsOptions {
  ConnectionOptions connection;
  std::string name;
  bool json = false;
};

FlagSet MakeModelsFlags(ModelsOptions& options) {
  FlagSet flags(
      {.name = "models",
       .synopsis = "[FLAGS] [NAME]",
       .summary = "Lists the models of the server, or tells all about one.",
       .examples = "  attendant models\n"
                   "  attendant models translate-en-de\n"
                   "  attendant models translate-en-de@stable\n"
                   "  attendant models --json | jq -r .name\n",
       .notes = "JSON, one object for each model: the fields of attendant.v1.Model, numbers as numbers.\n"
                "\n"
                "Exit codes: 0 ok; 1 no such model or another error; 2 wrong command line; 3 server not\n"
                "reachable.\n"});
  flags.BeginGroup("Output");
  flags.Add(SwitchFlag("json", "One JSON object for each model.", [&options] { options.json = true; }));
  AddConnectionFlags(flags, options.connection);
  return flags;
}

// All fields by their names in the API; 64-bit integers, which protobuf's JSON has as strings, as numbers.
Json ModelJson(const v1::Model& model) {
  google::protobuf::util::JsonPrintOptions print;
  print.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(model, &text, print).ok()) return Json::object();
  constexpr bool kNoExceptions = false;
  Json json = Json::parse(text, nullptr, kNoExceptions);
  if (model.num_parameters() > 0) json["num_parameters"] = model.num_parameters();
  if (model.weights_bytes() > 0) json["weights_bytes"] = model.weights_bytes();
  if (model.kv_cache_bytes() > 0) json["kv_cache_bytes"] = model.kv_cache_bytes();
  if (model.limits().max_content_bytes() > 0)
    json["limits"]["max_content_bytes"] = model.limits().max_content_bytes();
  if (model.limits().max_request_bytes() > 0)
    json["limits"]["max_request_bytes"] = model.limits().max_request_bytes();
  return json;
}

std::string RenderDetails(const v1::Model& model) {
  std::vector<std::vector<std::string>> rows;
  const Json json = ModelJson(model);
  for (const auto& [key, value] : json.items()) {
    if (!value.is_object()) {
      rows.push_back({key, value.is_string() ? value.get<std::string>() : value.dump()});
      continue;
    }
    for (const auto& [inner_key, inner] : value.items()) {
      rows.push_back(
          {absl::StrCat(key, ".", inner_key), inner.is_string() ? inner.get<std::string>() : inner.dump()});
    }
  }
  return FormatTable(rows);
}

absl::StatusOr<std::vector<v1::Model>> Fetch(const ModelsOptions& options) {
  const auto channel = Connect(options.connection);
  if (!channel.ok()) return channel.status();
  const auto stub = v1::ModelService::NewStub(*channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  if (!options.name.empty()) {
    v1::GetModelRequest request;
    request.set_name(options.name);
    v1::Model model;
    const absl::Status status = FromGrpc(stub->GetModel(&context, request, &model));
    if (!status.ok()) return status;
    return std::vector<v1::Model>{model};
  }
  v1::ListModelsResponse response;
  const absl::Status status = FromGrpc(stub->ListModels(&context, v1::ListModelsRequest(), &response));
  if (!status.ok()) return status;
  return std::vector<v1::Model>(response.models().begin(), response.models().end());
}

}  // namespace

ExitCode RunModels(const Args& args) {
  ModelsOptions options;
  ExitCode exit_code = ExitCode::kOk;
  const std::optional<std::vector<std::string>> rest =
      ParseOrExplain(MakeModelsFlags(options), args, exit_code);
  if (!rest.has_value()) return exit_code;
  if (rest->size() > 1) return UsageError(absl::InvalidArgumentError("one name at a time"), "models");
  if (!rest->empty()) options.name = rest->front();
  if (const auto server = NormalizeServer(options.connection.server); !server.ok()) {
    return UsageError(server.status(), "models");
  }
  StopSignal stop;
  options.connection.stop_fd = stop.fd();
  const absl::StatusOr<std::vector<v1::Model>> models = Fetch(options);
  if (!models.ok()) {
    PrintError(DescribeError(models.status(), options.connection.server));
    return ExitCodeFor(models.status());
  }
  std::string text;
  if (options.json) {
    for (const v1::Model& model : *models) absl::StrAppend(&text, ModelJson(model).dump(), "\n");
  } else {
    text = options.name.empty() ? RenderModelTable(*models) : RenderDetails(models->front());
  }
  (void)OutputFile::OfDescriptor(STDOUT_FILENO).Write(text);
  return ExitCode::kOk;
}

}  // namespace attendant::client
