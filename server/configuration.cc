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

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/base/status_macros.h"
#include "server/model_name.h"
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

// The line of a field that the file sets, from 1; 0 if it does not.
int LineOf(const TextFormat::ParseInfoTree& root, const ServerConfig& config, absl::string_view path) {
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  const auto* field = config.GetDescriptor()->FindFieldByName(names[0]);
  if (names.size() == 1) return root.GetLocation(field, -1).line + 1;
  const TextFormat::ParseInfoTree* nested = root.GetTreeForNested(field, -1);
  if (nested == nullptr) return 0;
  return nested->GetLocation(field->message_type()->FindFieldByName(names[1]), -1).line + 1;
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
    if (model.path().empty()) {
      return absl::InvalidArgumentError(absl::StrCat(where, "path: is missing; give the model's directory"));
    }
    if (model.has_kv_cache_bytes() && model.kv_cache_bytes() < (1 << 20)) {
      return absl::InvalidArgumentError(absl::StrCat(where, "kv_cache_bytes: must be at least 1048576"));
    }
    if (model.num_workers() < 0 || model.num_workers() > 1024) {
      return absl::InvalidArgumentError(absl::StrCat(where, "num_workers: must be 0 to 1024"));
    }
    if (model.weight() < 1 || model.weight() > 1000) {
      return absl::InvalidArgumentError(absl::StrCat(where, "weight: must be 1 to 1000"));
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
  for (config::ModelConfig& model : *config.mutable_model()) model.set_path(base / model.path());
  if (config.has_models_dir()) config.set_models_dir(base / config.models_dir());
}

absl::Status CheckAddress(absl::string_view name, absl::string_view address, bool insecure) {
  const absl::StatusOr<HostPort> parsed = ParseHostPort(address);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", parsed.status().message()));
  }
  if (parsed->is_loopback || insecure) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, ": ", parsed->host,
                                                 " is not a loopback address, and there is no TLS or "
                                                 "authentication yet; use 127.0.0.1 or add --insecure"));
}

// Names are not looked up: only what can be nothing but loopback is.
bool IsLoopback(const std::string& host) {
  in_addr address{};
  const bool is_ipv4 = inet_pton(AF_INET, host.c_str(), &address) == 1;
  constexpr uint32_t kLoopbackNet = 127;
  return host == "localhost" || host == "[::1]" || (is_ipv4 && ntohl(address.s_addr) >> 24 == kLoopbackNet);
}

// Adds every sub-directory with a config.json that is not already named.
absl::Status AddModelsOfDir(ServerConfig& config) {
  std::error_code error;
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(config.models_dir(), error)) {
    if (fs::exists(entry.path() / "config.json", error)) found.push_back(entry.path());
  }
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("models directory ", config.models_dir(), " cannot be read: ", error.message()));
  }
  std::sort(found.begin(), found.end());
  for (const fs::path& path : found) {
    const std::string name = path.filename();
    if (const absl::Status status = CheckModelName(name); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("models directory ", config.models_dir(), ": ",
                                                     status.message(), "; rename the directory"));
    }
    const auto same_name = [&](const config::ModelConfig& model) { return model.name() == name; };
    if (std::any_of(config.model().begin(), config.model().end(), same_name)) continue;
    config::ModelConfig& model = *config.add_model();
    model.set_name(name);
    model.set_path(path);
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

absl::StatusOr<ServerConfig> ReadConfigFile(const fs::path& file) {
  std::ifstream in(file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.good()) {
    return absl::InvalidArgumentError(absl::StrCat(file.string(), ": cannot be read; check --config"));
  }
  ServerConfig config;
  TextFormat::ParseInfoTree tree;
  FirstError error;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(&tree);
  if (!parser.ParseFromString(text, &config)) {
    return absl::InvalidArgumentError(absl::StrCat(file.string(), ":", error.text()));
  }
  ATTENDANT_RETURN_IF_ERROR(CheckRanges(config, tree, file.string()));
  ATTENDANT_RETURN_IF_ERROR(CheckModels(config, tree, file.string()));
  MakePathsRelativeToFile(file, config);
  return config;
}

absl::StatusOr<ServerConfig> CompleteConfig(ServerConfig config) {
  ATTENDANT_RETURN_IF_ERROR(CheckAddress("listen address", config.listen_address(), config.insecure()));
  if (!config.metrics_address().empty()) {
    ATTENDANT_RETURN_IF_ERROR(CheckAddress("metrics address", config.metrics_address(), config.insecure()));
  }
  if (!config.http_address().empty()) {
    ATTENDANT_RETURN_IF_ERROR(CheckAddress("HTTP address", config.http_address(), config.insecure()));
  }
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
