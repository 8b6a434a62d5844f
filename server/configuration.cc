#include "server/configuration.h"

#include <arpa/inet.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/base/file.h"
#include "engine/base/status_macros.h"
#include "server/model_name.h"
#include "server/repository/model_directory.h"
#include "server/settings.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;
using config::ServerConfig;
using google::protobuf::TextFormat;

// Keeps the first error: what follows it is mostly its echo.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (text_.empty()) text_ = absl::StrCat(line + 1, ":", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::Status ParseText(const fs::path& file, const std::string& text, google::protobuf::Message& message,
                       TextFormat::ParseInfoTree& tree) {
  FirstError error;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(&tree);
  if (parser.ParseFromString(text, &message)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(file.string(), ":", error.text()));
}

// The line of a field that the file sets, from 1; 0 if it does not.
int LineOf(const TextFormat::ParseInfoTree& root, const ServerConfig& config, absl::string_view path) {
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  const auto* field = config.GetDescriptor()->FindFieldByName(names[0]);
  if (names.size() == 1) return root.GetLocation(field, -1).line + 1;
  const TextFormat::ParseInfoTree* nested = root.GetTreeForNested(field, -1);
  if (nested == nullptr) return 0;
  return nested->GetLocation(field->message_type()->FindFieldByName(names[1]), -1).line + 1;
}

absl::Status CheckVersions(const config::VersionPolicy& policy) {
  constexpr int kMaxLatest = 1000;
  if (policy.has_latest() + policy.has_all() + !policy.version().empty() > 1) {
    return absl::InvalidArgumentError("versions: give one of latest, all and version");
  }
  if (policy.latest() < 1 || policy.latest() > kMaxLatest) {
    return absl::InvalidArgumentError("versions.latest: must be 1 to 1000");
  }
  const auto is_number = [](int64_t version) { return version > 0; };
  if (std::all_of(policy.version().begin(), policy.version().end(), is_number)) return absl::OkStatus();
  return absl::InvalidArgumentError("versions.version: must be at least 1");
}

absl::Status CheckLabels(const config::ModelConfig& model) {
  std::set<absl::string_view> names;
  for (const config::VersionLabel& label : model.label()) {
    if (!CheckModelName(label.name()).ok() || !absl::ascii_isalpha(label.name().front())) {
      return absl::InvalidArgumentError(
          "label.name: must be 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter");
    }
    if (label.version() < 1) return absl::InvalidArgumentError("label.version: must be at least 1");
    if (!names.insert(label.name()).second) {
      return absl::InvalidArgumentError(absl::StrCat("label: ", label.name(), " is there twice"));
    }
  }
  return absl::OkStatus();
}

// What a ModelConfig says beside name and path.
absl::Status CheckServing(const config::ModelConfig& model) {
  if (model.has_kv_cache_bytes() && model.kv_cache_bytes() < (1 << 20)) {
    return absl::InvalidArgumentError("kv_cache_bytes: must be at least 1048576");
  }
  if (model.num_workers() < 0 || model.num_workers() > 1024) {
    return absl::InvalidArgumentError("num_workers: must be 0 to 1024");
  }
  if (model.weight() < 1 || model.weight() > 1000) {
    return absl::InvalidArgumentError("weight: must be 1 to 1000");
  }
  ATTENDANT_RETURN_IF_ERROR(CheckVersions(model.versions()));
  return CheckLabels(model);
}

absl::Status CheckModels(const ServerConfig& config, const TextFormat::ParseInfoTree& tree,
                         absl::string_view file) {
  const auto* field = config.GetDescriptor()->FindFieldByName("model");
  for (int i = 0; i < config.model_size(); ++i) {
    const config::ModelConfig& model = config.model(i);
    const std::string where = absl::StrCat(file, ":", tree.GetLocation(field, i).line + 1, ": model.");
    if (const absl::Status name = CheckModelName(model.name()); !name.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(where, "name: ", name.message()));
    }
    if (model.path().empty() && !config.has_models_dir()) {
      return absl::InvalidArgumentError(absl::StrCat(where, "path: is missing; give the model's directory"));
    }
    if (const absl::Status serving = CheckServing(model); !serving.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(where, serving.message()));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRanges(const ServerConfig& config, const TextFormat::ParseInfoTree& tree,
                         absl::string_view file) {
  for (const Setting& setting : AllSettings()) {
    if (const absl::Status status = CheckRange(setting, config); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(file, ":", LineOf(tree, config, setting.field), ": ",
                                                     setting.field, ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

void MakePathsRelativeToFile(const fs::path& file, ServerConfig& config) {
  const fs::path base = file.parent_path();
  for (config::ModelConfig& model : *config.mutable_model()) {
    if (!model.path().empty()) model.set_path(base / model.path());
  }
  if (config.has_models_dir()) config.set_models_dir(base / config.models_dir());
  for (std::string* path :
       {config.mutable_tls()->mutable_certificate(), config.mutable_tls()->mutable_key(),
        config.mutable_tls()->mutable_client_ca(), config.mutable_auth()->mutable_api_keys()}) {
    if (!path->empty()) *path = base / *path;
  }
}

// remedy: what to do about it, besides loopback and --insecure.
absl::Status CheckAddress(absl::string_view name, absl::string_view address, bool is_allowed,
                          absl::string_view remedy) {
  const absl::StatusOr<HostPort> parsed = ParseHostPort(address);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", parsed.status().message()));
  }
  if (parsed->is_loopback || is_allowed) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": ", parsed->host, " is not a loopback address; ", remedy,
                   "use 127.0.0.1, or add --insecure to send all in the clear"));
}

absl::Status CheckTls(const ServerConfig& config) {
  const config::Tls& tls = config.tls();
  if (tls.certificate().empty() != tls.key().empty()) {
    return absl::InvalidArgumentError("tls: give both --tls-certificate and --tls-key, or neither");
  }
  if (!tls.client_ca().empty() && tls.certificate().empty()) {
    return absl::InvalidArgumentError("tls: --tls-client-ca needs --tls-certificate and --tls-key");
  }
  return absl::OkStatus();
}

// Names are not looked up: only what can be nothing but loopback is.
bool IsLoopback(const std::string& host) {
  in_addr address{};
  const bool is_ipv4 = inet_pton(AF_INET, host.c_str(), &address) == 1;
  constexpr uint32_t kLoopbackNet = 127;
  return host == "localhost" || host == "[::1]" || (is_ipv4 && ntohl(address.s_addr) >> 24 == kLoopbackNet);
}

// It asks for no certificate, and calls for its clients.
absl::Status CheckHttp(const ServerConfig& config) {
  if (config.http_address().empty()) return absl::OkStatus();
  ATTENDANT_RETURN_IF_ERROR(CheckAddress("HTTP address", config.http_address(), config.insecure(),
                                         "it has no TLS: put a proxy in front, "));
  if (config.tls().client_ca().empty() || !config.auth().api_keys().empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "HTTP address: would let in who shows no certificate, past --tls-client-ca; give --api-keys as well");
}

absl::Status CheckAddresses(const ServerConfig& config) {
  const bool has_tls = !config.tls().certificate().empty();
  const absl::string_view remedy = "give --tls-certificate and --tls-key, ";
  const bool is_allowed = has_tls || config.insecure();
  ATTENDANT_RETURN_IF_ERROR(CheckAddress("listen address", config.listen_address(), is_allowed, remedy));
  if (!config.admin_address().empty()) {
    ATTENDANT_RETURN_IF_ERROR(CheckAddress("admin address", config.admin_address(), is_allowed, remedy));
  }
  ATTENDANT_RETURN_IF_ERROR(CheckHttp(config));
  if (config.metrics_address().empty()) return absl::OkStatus();
  return CheckAddress("metrics address", config.metrics_address(), config.insecure(),
                      "/metrics has no TLS; ");
}

// A directory with a model in it that no request could name is a mistake to hear of at the start.
absl::Status CheckDirectoryNames(const fs::path& dir) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(dir, error)) {
    const absl::Status name = CheckModelName(entry.path().filename().string());
    if (name.ok() || !fs::exists(entry.path() / "config.json", error)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("models directory ", dir.string(), ": ", name.message(), "; rename the directory"));
  }
  return absl::OkStatus();
}

// Adds every model of the repository that is not already named, and the path of those named without one.
absl::Status AddModelsOfDir(ServerConfig& config) {
  const fs::path dir = config.models_dir();
  const absl::StatusOr<std::vector<std::string>> found = ListModelDirectories(dir);
  if (!found.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("models directory ", dir.string(), " cannot be read: ", found.status().message()));
  }
  ATTENDANT_RETURN_IF_ERROR(CheckDirectoryNames(dir));
  for (config::ModelConfig& model : *config.mutable_model()) {
    if (model.path().empty()) model.set_path(dir / model.name());
  }
  for (const std::string& name : *found) {
    const auto same_name = [&](const config::ModelConfig& model) { return model.name() == name; };
    if (std::any_of(config.model().begin(), config.model().end(), same_name)) continue;
    config::ModelConfig& model = *config.add_model();
    model.set_name(name);
    model.set_path(dir / name);
  }
  return absl::OkStatus();
}

absl::Status CheckNames(const ServerConfig& config) {
  if (config.model().empty() && config.has_models_dir()) {
    return absl::InvalidArgumentError(
        absl::StrCat("models directory ", config.models_dir(),
                     " has no sub-directory with a config.json; put a model there"));
  }
  if (config.model().empty()) {
    return absl::InvalidArgumentError(
        "no models; give --models DIR, --model NAME=DIR or a --config FILE with them");
  }
  std::set<absl::string_view> names;
  for (const config::ModelConfig& model : config.model()) {
    if (!names.insert(model.name()).second) {
      return absl::InvalidArgumentError(absl::StrCat("model ", model.name(), " is named twice; rename one"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<HostPort> ParseHostPort(absl::string_view address) {
  const auto wrong = [&] {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\" is not HOST:PORT, such as 127.0.0.1:8500"));
  };
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return wrong();
  HostPort result;
  result.host = std::string(address.substr(0, colon));
  if (!absl::SimpleAtoi(address.substr(colon + 1), &result.port) || result.port < 0 || result.port > 65535) {
    return wrong();
  }
  const bool is_bracketed = result.host.front() == '[' && result.host.back() == ']';
  if (absl::StrContains(result.host, ':') && !is_bracketed) return wrong();
  result.is_loopback = IsLoopback(result.host);
  return result;
}

absl::StatusOr<config::ModelConfig> ReadServingFile(const fs::path& file) {
  constexpr uint64_t kMaxBytes = 1 << 20;
  ATTENDANT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file, kMaxBytes));
  config::ModelConfig model;
  TextFormat::ParseInfoTree tree;
  ATTENDANT_RETURN_IF_ERROR(ParseText(file, text, model, tree));
  if (model.has_name() || model.has_path()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file.string(), ": name and path are those of the directory; leave them out"));
  }
  if (const absl::Status serving = CheckServing(model); !serving.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(file.string(), ": ", serving.message()));
  }
  return model;
}

absl::StatusOr<ServerConfig> ReadConfigFile(const fs::path& file) {
  std::ifstream in(file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.good()) {
    return absl::InvalidArgumentError(absl::StrCat(file.string(), ": cannot be read; check --config"));
  }
  ServerConfig config;
  TextFormat::ParseInfoTree tree;
  ATTENDANT_RETURN_IF_ERROR(ParseText(file, text, config, tree));
  ATTENDANT_RETURN_IF_ERROR(CheckRanges(config, tree, file.string()));
  ATTENDANT_RETURN_IF_ERROR(CheckModels(config, tree, file.string()));
  MakePathsRelativeToFile(file, config);
  return config;
}

absl::StatusOr<ServerConfig> CompleteConfig(ServerConfig config) {
  ATTENDANT_RETURN_IF_ERROR(CheckTls(config));
  ATTENDANT_RETURN_IF_ERROR(CheckAddresses(config));
  if (config.has_models_dir()) ATTENDANT_RETURN_IF_ERROR(AddModelsOfDir(config));
  ATTENDANT_RETURN_IF_ERROR(CheckNames(config));
  return config;
}

absl::Status CheckModelDirectories(const ServerConfig& config) {
  for (const config::ModelConfig& model : config.model()) {
    std::error_code error;
    if (fs::is_directory(model.path(), error)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("model ", model.name(), ": ", model.path(), " is not a directory"));
  }
  return absl::OkStatus();
}

}  // namespace attendant
