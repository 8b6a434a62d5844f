#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/string_view.h"
#include "server/server_config.pb.h"

namespace spdlog {
class logger;
}

namespace attendant {

// Named values of a log line, in order. Never text of a user.
using LogFields = nlohmann::ordered_json;

// One line of the log: a time (UTC), a level, an event and its fields, as text (`time LEVEL event key=value`)
// or as one JSON object. `time` is RFC 3339.
std::string FormatLogLine(config::Logging::Format format, absl::string_view time,
                          config::Logging::Level level, absl::string_view event, const LogFields& fields);

// Writes lines to standard error. Thread-safe. A line that cannot be written is lost; nothing else happens.
class Logger {
 public:
  explicit Logger(const config::Logging& options);
  ~Logger();

  bool IsOn(config::Logging::Level level) const { return level >= level_; }
  void Log(config::Logging::Level level, absl::string_view event, const LogFields& fields) const;

  void Debug(absl::string_view event, const LogFields& fields) const {
    Log(config::Logging::DEBUG, event, fields);
  }
  void Info(absl::string_view event, const LogFields& fields) const {
    Log(config::Logging::INFO, event, fields);
  }
  void Warning(absl::string_view event, const LogFields& fields) const {
    Log(config::Logging::WARNING, event, fields);
  }
  void Error(absl::string_view event, const LogFields& fields) const {
    Log(config::Logging::ERROR, event, fields);
  }

 private:
  const config::Logging::Format format_;
  const config::Logging::Level level_;
  std::shared_ptr<spdlog::logger> sink_;
};

}  // namespace attendant
