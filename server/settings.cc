#include "server/settings.h"

#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/base/status_macros.h"

namespace attendant {
namespace {

using config::ServerConfig;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int64_t kKiB = 1024;
constexpr int64_t kMiB = 1024 * kKiB;
constexpr int64_t kGiB = 1024 * kMiB;

constexpr absl::string_view kPorts = "Addresses";
constexpr absl::string_view kIdentity = "Who may call (docs/security.md)";
constexpr absl::string_view kLimits = "Limits of a request";
constexpr absl::string_view kScheduler = "Batching, for each model";
constexpr absl::string_view kEngine = "Processor and memory, for each model";
constexpr absl::string_view kRepository = "Models at run time";
constexpr absl::string_view kTransport = "Connections";
constexpr absl::string_view kLogging = "Log, on standard error";
constexpr absl::string_view kLifecycle =
    "Starting, and shutting down (SIGTERM or SIGINT; a second signal ends at once)";

constexpr Setting kSettings[] = {
    {"listen", "listen_address", kPorts, "HOST:PORT", "where gRPC listens; port 0: the system chooses"},
    {"metrics", "metrics_address", kPorts, "HOST:PORT", "where Prometheus scrapes /metrics; \"\": nowhere"},
    {"http", "http_address", kPorts, "HOST:PORT",
     "where HTTP is answered (OpenAI's embeddings, LibreTranslate); \"\": nowhere"},
    {"port-file", "port_file", kPorts, "FILE",
     "write the chosen ports here: lines \"grpc PORT\", \"metrics PORT\", \"admin PORT\", \"http PORT\""},
    {"admin", "admin_address", kPorts, "HOST:PORT", "where the services for operators listen; \"\": nowhere"},
    {"insecure", "insecure", kPorts, "", "allow addresses that are not loopback in the clear"},
    {"tls-certificate", "tls.certificate", kIdentity, "FILE",
     "PEM certificate of the server and its chain; with it gRPC speaks TLS only"},
    {"tls-key", "tls.key", kIdentity, "FILE", "PEM private key of the certificate"},
    {"tls-client-ca", "tls.client_ca", kIdentity, "FILE",
     "clients must show a certificate of these authorities (mTLS)"},
    {"api-keys", "auth.api_keys", kIdentity, "FILE",
     "callers must send a key that is in here; --new-key makes one"},
    {"metrics-open", "auth.metrics_open", kIdentity, "", "/metrics needs no key although there are keys"},
    {"reflection", "auth.reflection", kIdentity, "auto|on|off",
     "tell clients what services there are; auto: only without --api-keys"},
    {"max-contents", "limits.max_contents", kLimits, "N", "texts in one call", 1, 100'000},
    {"max-content-bytes", "limits.max_content_bytes", kLimits, "BYTES", "one text", 1, 64 * kMiB},
    {"max-sentences", "limits.max_sentences", kLimits, "N", "sentences of one text", 1, 1'000'000},
    {"max-image-bytes", "limits.max_image_bytes", kLimits, "BYTES", "one image file", 1, 256 * kMiB},
    {"max-image-pixels", "limits.max_image_pixels", kLimits, "N", "width times height of one image", 1,
     256 * kMiB},
    {"max-image-request-bytes", "limits.max_image_request_bytes", kLimits, "BYTES",
     "one message with images, compressed or not", kKiB, 256 * kMiB},
    {"max-request-bytes", "limits.max_request_bytes", kLimits, "BYTES", "one message, compressed or not",
     kKiB, 256 * kMiB},
    {"max-stream-pending-bytes", "limits.max_stream_pending_bytes", kLimits, "BYTES",
     "events waiting for a slow reader of a stream", kKiB, kGiB},
    {"max-answer-bytes", "limits.max_answer_bytes", kLimits, "BYTES",
     "one answer with all hypotheses, scores and alignments", kKiB, kGiB},
    {"default-deadline-ms", "limits.default_deadline_ms", kLimits, "MS",
     "the time of a call whose client sets no deadline; 0: all there is", 0, 86'400'000},
    {"max-deadline-ms", "limits.max_deadline_ms", kLimits, "MS",
     "a longer deadline counts as this one; 0: none does", 0, 86'400'000},
    {"memory-high-percent", "limits.memory_high_percent", kLimits, "N",
     "refuse calls while so much of the container's memory is in use; 0: never", 0, 100},
    {"max-queue", "scheduler.max_queue", kScheduler, "N",
     "sentences, texts or images waiting; more are refused", 1, 10'000'000},
    {"max-rows", "scheduler.max_rows", kScheduler, "N", "hypotheses in one decode step of a worker", 1,
     65'536},
    {"max-encode-tokens", "scheduler.max_encode_tokens", kScheduler, "N",
     "source tokens encoded in one step of a worker", 1, 1'000'000},
    {"max-running", "scheduler.max_running", kScheduler, "N",
     "sentences, texts or images running at once in a worker", 1, 65'536},
    {"priority-step-ms", "scheduler.priority_step_ms", kScheduler, "MS",
     "waiting so long is worth one level of priority", 1, 3'600'000},
    {"max-queue-ms", "scheduler.max_queue_ms", kScheduler, "MS",
     "refuse more while there is work for longer; 0: what deadlines leave", 0, 3'600'000},
    {"workers", "engine.num_workers", kEngine, "N", "threads; 0: the cores of the container or machine", 0,
     1024},
    {"kv-cache-bytes", "engine.kv_cache_bytes", kEngine, "BYTES", "key-value cache, over all workers", kMiB,
     1024 * kGiB},
    {"tokenize-threads", "engine.tokenize_threads", kEngine, "N", "threads that split and tokenise", 1, 64},
    {"max-concurrent-streams", "transport.max_concurrent_streams", kTransport, "N",
     "calls at once on one connection", 1, 1'000'000},
    {"keepalive-time-ms", "transport.keepalive_time_ms", kTransport, "MS",
     "ping a silent client after so long", 1000, 86'400'000},
    {"keepalive-timeout-ms", "transport.keepalive_timeout_ms", kTransport, "MS",
     "... and close its connection when it does not answer for so long", 1000, 3'600'000},
    {"max-connection-idle-ms", "transport.max_connection_idle_ms", kTransport, "MS",
     "close a connection without calls; 0: never", 0, 86'400'000},
    {"max-connection-age-ms", "transport.max_connection_age_ms", kTransport, "MS",
     "ask a client to connect anew after so long; 0: never", 0, 604'800'000},
    {"max-buffer-bytes", "transport.max_buffer_bytes", kTransport, "BYTES",
     "memory for messages on their way, over all connections", 16 * kMiB, 64 * kGiB},
    {"max-connections", "transport.max_connections", kTransport, "N",
     "open at once; the next is closed at once", 1, 1'000'000},
    {"max-connections-per-peer", "transport.max_connections_per_peer", kTransport, "N",
     "of one client address; 0: no limit of its own", 0, 1'000'000},
    {"handshake-timeout-ms", "transport.handshake_timeout_ms", kTransport, "MS",
     "close a connection that does not begin to speak HTTP/2 or TLS", 100, 600'000},
    {"max-connection-age-grace-ms", "transport.max_connection_age_grace_ms", kTransport, "MS",
     "what an aged connection's calls have left; 0: as long as they take", 0, 86'400'000},
    {"max-header-bytes", "transport.max_header_bytes", kTransport, "BYTES", "all headers of one call", kKiB,
     kMiB},
    {"accept-backlog", "transport.accept_backlog", kTransport, "N", "connections waiting to be accepted", 1,
     65'535},
    {"min-ping-interval-ms", "transport.min_ping_interval_ms", kTransport, "MS",
     "a client that pings more often is told to go", 0, 3'600'000},
    {"http-max-connections", "transport.http_max_connections", kTransport, "N",
     "of HTTP, open at once; more wait to be accepted", 1, 100'000},
    {"write-timeout-ms", "transport.write_timeout_ms", kTransport, "MS",
     "cancel a call whose client does not take a message whole for so long", 100, 86'400'000},
    {"repository-poll-ms", "repository.poll_ms", kRepository, "MS",
     "look for new, changed and removed models and versions so often; 0: never", 0, 3'600'000},
    {"memory-budget", "repository.memory_budget_bytes", kRepository, "BYTES",
     "weights and key-value caches of all models together; 0: no limit", 0, 1024 * kGiB},
    {"log-format", "logging.format", kLogging, "text|json", "how a line looks"},
    {"log-level", "logging.level", kLogging, "debug|info|warning|error",
     "the least level written; debug has a line for each request"},
    {"listen-when-ready", "lifecycle.listen_when_ready", kLifecycle, "",
     "open the gRPC port only once all models are loaded: for balancers that do not ask for health"},
    {"drain-grace-ms", "lifecycle.drain_grace_ms", kLifecycle, "MS",
     "go on accepting for so long while health says NOT_SERVING", 0, 600'000},
    {"drain-timeout-ms", "lifecycle.drain_timeout_ms", kLifecycle, "MS",
     "then wait at most so long until everything accepted is answered", 0, 3'600'000},
};

const FieldDescriptor& Field(const Setting& setting) {
  const google::protobuf::Descriptor* message = ServerConfig::descriptor();
  const FieldDescriptor* field = nullptr;
  for (absl::string_view name : absl::StrSplit(setting.field, '.')) {
    field = message->FindFieldByName(std::string(name));
    message = field->message_type();
  }
  return *field;
}

Message& MutableParent(const Setting& setting, ServerConfig& config) {
  const std::vector<std::string> names = absl::StrSplit(setting.field, '.');
  if (names.size() == 1) return config;
  return *config.GetReflection()->MutableMessage(&config, config.GetDescriptor()->FindFieldByName(names[0]));
}

const Message& Parent(const Setting& setting, const ServerConfig& config) {
  const std::vector<std::string> names = absl::StrSplit(setting.field, '.');
  if (names.size() == 1) return config;
  return config.GetReflection()->GetMessage(config, config.GetDescriptor()->FindFieldByName(names[0]));
}

int64_t Number(const Message& parent, const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_INT64
             ? parent.GetReflection()->GetInt64(parent, &field)
             : parent.GetReflection()->GetInt32(parent, &field);
}

absl::Status RangeError(const Setting& setting, absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat(text, " is not in its range, ", setting.min, " to ", setting.max));
}

absl::Status SetNumber(const Setting& setting, const FieldDescriptor& field, absl::string_view text,
                       Message& parent) {
  constexpr std::pair<absl::string_view, int64_t> kSuffixes[] = {{"KiB", kKiB}, {"MiB", kMiB}, {"GiB", kGiB}};
  int64_t scale = 1;
  absl::string_view digits = text;
  for (const auto& [suffix, factor] : kSuffixes) {
    if (setting.unit == "BYTES" && absl::ConsumeSuffix(&digits, suffix)) scale = factor;
  }
  int64_t value = 0;
  if (!absl::SimpleAtoi(digits, &value)) {
    const absl::string_view kind =
        setting.unit == "BYTES" ? "a number of bytes, such as 4194304 or 4MiB" : "a whole number";
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not ", kind));
  }
  if (value < 0 || value > setting.max / scale || value * scale < setting.min)
    return RangeError(setting, text);
  value *= scale;
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_INT64) {
    parent.GetReflection()->SetInt64(&parent, &field, value);
  } else {
    parent.GetReflection()->SetInt32(&parent, &field, static_cast<int32_t>(value));
  }
  return absl::OkStatus();
}

absl::Status SetEnum(const FieldDescriptor& field, absl::string_view text, absl::string_view allowed,
                     Message& parent) {
  const auto* value = field.enum_type()->FindValueByName(absl::AsciiStrToUpper(text));
  if (value == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is none of ", allowed));
  }
  parent.GetReflection()->SetEnum(&parent, &field, value);
  return absl::OkStatus();
}

absl::Status SetSwitch(const FieldDescriptor& field, absl::string_view text, Message& parent) {
  if (text != "true" && text != "false") {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is neither true nor false"));
  }
  parent.GetReflection()->SetBool(&parent, &field, text == "true");
  return absl::OkStatus();
}

absl::Status SetField(const Setting& setting, absl::string_view text, ServerConfig& config) {
  const FieldDescriptor& field = Field(setting);
  Message& parent = MutableParent(setting, config);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return SetSwitch(field, text, parent);
    case FieldDescriptor::CPPTYPE_ENUM:
      return SetEnum(field, text, setting.unit, parent);
    case FieldDescriptor::CPPTYPE_STRING:
      parent.GetReflection()->SetString(&parent, &field, std::string(text));
      return absl::OkStatus();
    default:
      return SetNumber(setting, field, text, parent);
  }
}

}  // namespace

absl::Span<const Setting> AllSettings() {
  return kSettings;
}

const Setting* FindSetting(absl::string_view flag) {
  for (const Setting& setting : kSettings) {
    if (setting.flag == flag) return &setting;
  }
  return nullptr;
}

bool IsSwitch(const Setting& setting) {
  return Field(setting).cpp_type() == FieldDescriptor::CPPTYPE_BOOL;
}

std::string DefaultText(const Setting& setting) {
  const FieldDescriptor& field = Field(setting);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return field.default_value_bool() ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::AsciiStrToLower(field.default_value_enum()->name());
    case FieldDescriptor::CPPTYPE_STRING:
      return field.default_value_string();
    default:
      break;
  }
  const int64_t value = field.cpp_type() == FieldDescriptor::CPPTYPE_INT64 ? field.default_value_int64()
                                                                           : field.default_value_int32();
  if (setting.unit == "BYTES" && value % kMiB == 0) return absl::StrCat(value / kMiB, "MiB");
  return absl::StrCat(value);
}

absl::Status SetFromText(const Setting& setting, absl::string_view text, ServerConfig& config) {
  const absl::Status status = SetField(setting, text, config);
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat("--", setting.flag, ": ", status.message()));
}

absl::Status CheckRange(const Setting& setting, const ServerConfig& config) {
  const FieldDescriptor& field = Field(setting);
  if (setting.max == 0) return absl::OkStatus();
  const int64_t value = Number(Parent(setting, config), field);
  if (value < setting.min || value > setting.max) return RangeError(setting, absl::StrCat(value));
  return absl::OkStatus();
}

}  // namespace attendant
