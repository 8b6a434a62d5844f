#pragma once

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "server/server_config.pb.h"

namespace attendant {

// Reads a configuration file (text format of server_config.proto). Relative model paths are taken from the
// file's directory. Errors: INVALID_ARGUMENT, one line that begins FILE:LINE.
absl::StatusOr<config::ServerConfig> ReadConfigFile(const std::filesystem::path& file);

// What can only be said of file and flags together: addresses that parse, loopback unless `insecure`, at
// least one model, names that are unique. Replaces models_dir by the models found in it, so that the result
// names each model with its path. Errors: INVALID_ARGUMENT, one line that says the field and what to do.
absl::StatusOr<config::ServerConfig> CompleteConfig(config::ServerConfig config);

// A serving.textproto: how one model is served, without name and path. Errors: as ReadConfigFile.
absl::StatusOr<config::ModelConfig> ReadServingFile(const std::filesystem::path& file);

// INVALID_ARGUMENT for the first model whose path is no directory now.
absl::Status CheckModelDirectories(const config::ServerConfig& config);

// HOST:PORT, [IPV6]:PORT.
struct HostPort {
  std::string host;
  int port = 0;
  bool is_loopback = false;
};
absl::StatusOr<HostPort> ParseHostPort(absl::string_view address);

}  // namespace attendant
