#include <google/protobuf/stubs/common.h>
#include <grpcpp/grpcpp.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/options.h"
#include "server/settings.h"
#include "server/version.h"

namespace attendant {
namespace {

constexpr absl::string_view kIntroduction =
    R"(attendant-server: translations, embeddings and classes over gRPC, on CPUs.

Usage:
  attendant-server --models DIR [flags]
  attendant-server --model NAME=DIR [--model NAME=DIR ...] [flags]
  attendant-server --config FILE [flags]

Examples:
  attendant-server --models models/
      serves every directory in models/ that has a config.json: gRPC on 127.0.0.1:8500,
      Prometheus on http://127.0.0.1:9500/metrics
  attendant-server --model en-de=models/translate-en-de --listen 127.0.0.1:0 --port-file /tmp/ports
      one model, on a port that the system chooses and the file tells
  attendant-server --config server.txt --log-format json
      everything from a file, but for the log

Models:
  --models DIR               every directory in DIR that has a config.json, by the directory's name
  --model NAME=DIR           one model (Hugging Face directory); as often as you like
  --config FILE              a configuration file: server/server_config.proto in protobuf's text format,
                             such as  model { name: "en-de" path: "models/translate-en-de" }
                             Flags override it.
)";

constexpr absl::string_view kEnd = R"(
Other:
  --new-key ID               make an API key: prints the key, which is kept nowhere, and then its entry for the
                             file of --api-keys
  --roles ROLES              of --new-key: infer, admin, metrics, or several with commas [infer]
  --help                     this text
  --version                  version of the server and of what it is built with

Exit codes: 0 drained after a signal; 1 could not start or drain; 2 wrong flags or configuration.
)";

// "  --flag UNIT   help (default)", the help from column 29 on, or the help on a line of its own.
std::string Line(const Setting& setting) {
  std::string left = absl::StrCat("  --", setting.flag);
  if (!setting.unit.empty()) absl::StrAppend(&left, " ", setting.unit);
  constexpr size_t kColumn = 29;
  if (left.size() + 1 > kColumn) {
    absl::StrAppend(&left, "\n", std::string(kColumn, ' '));
  } else {
    left.append(kColumn - left.size(), ' ');
  }
  absl::StrAppend(&left, setting.help);
  const std::string value = DefaultText(setting);
  if (!value.empty()) absl::StrAppend(&left, " [", value, "]");
  return left + "\n";
}

}  // namespace

std::string HelpText() {
  std::string text(kIntroduction);
  absl::string_view group;
  for (const Setting& setting : AllSettings()) {
    if (setting.group != group) absl::StrAppend(&text, "\n", setting.group, ":\n");
    group = setting.group;
    absl::StrAppend(&text, Line(setting));
  }
  absl::StrAppend(&text, "\nBYTES may end in KiB, MiB or GiB. [Defaults] in brackets.\n", kEnd);
  return text;
}

std::string VersionText() {
  return absl::StrCat("attendant-server ", kVersion, " (gRPC ", grpc::Version(), ", protobuf ",
                      google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION), ")\n");
}

}  // namespace attendant
