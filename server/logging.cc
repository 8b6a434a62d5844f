#include "server/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/log_drops.h"

namespace attendant {
namespace {

using nlohmann::ordered_json;

// Never throws: what is not UTF-8 becomes U+FFFD.
std::string Dump(const ordered_json& value) {
  constexpr int kOneLine = -1;
  constexpr bool kKeepUnicode = false;
  return value.dump(kOneLine, ' ', kKeepUnicode, ordered_json::error_handler_t::replace);
}

// Strings without spaces, quotes and control characters stand bare.
std::string TextValue(const ordered_json& value) {
  if (!value.is_string()) return Dump(value);
  const auto& text = value.get_ref<const std::string&>();
  const auto is_plain = [](unsigned char c) { return c > ' ' && c < 0x7f && c != '"' && c != '='; };
  const bool all_plain = !text.empty() && std::all_of(text.begin(), text.end(), is_plain);
  return all_plain ? text : Dump(value);
}

std::atomic<int64_t> lines_dropped = 0;

}  // namespace

int64_t LogLinesDropped() {
  return lines_dropped;
}

std::string FormatLogLine(config::Logging::Format format, absl::string_view time,
                          config::Logging::Level level, absl::string_view event, const LogFields& fields) {
  const std::string& level_name = config::Logging::Level_Name(level);
  if (format == config::Logging::JSON) {
    ordered_json line;
    line["time"] = std::string(time);
    line["level"] = absl::AsciiStrToLower(level_name);
    line["event"] = std::string(event);
    for (const auto& [key, value] : fields.items()) line[key] = value;
    return Dump(line);
  }
  std::string line = absl::StrCat(time, " ", level_name, " ", event);
  for (const auto& [key, value] : fields.items()) absl::StrAppend(&line, " ", key, "=", TextValue(value));
  return line;
}

Logger::Logger(const config::Logging& options)
    : format_(options.format()),
      level_(options.level()),
      sink_(
          std::make_shared<spdlog::logger>("attendant", std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
  sink_->set_pattern("%v");
  sink_->set_level(spdlog::level::trace);
  sink_->set_error_handler([](const std::string&) {});
}

Logger::~Logger() = default;

void Logger::Log(config::Logging::Level level, absl::string_view event, const LogFields& fields) const {
  if (!IsOn(level)) return;
  const std::string time = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  sink_->log(spdlog::level::info, "{}", FormatLogLine(format_, time, level, event, fields));
  // spdlog does not look at what becomes of its writes.
  if (std::ferror(stderr) != 0) {
    std::clearerr(stderr);
    ++lines_dropped;
  }
}

}  // namespace attendant
