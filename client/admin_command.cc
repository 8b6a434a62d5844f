#include <grpcpp/client_context.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "attendant/v1/admin_service.grpc.pb.h"
#include "client/commands.h"
#include "client/connection.h"
#include "client/grpc_status.h"
#include "client/model_table.h"
#include "client/output_file.h"
#include "client/stop_signal.h"

namespace attendant::client {
namespace {

constexpr char kDefaultAdminServer[] = "127.0.0.1:8501";

std::string AdminServer() {
  const char* server = std::getenv("ATTENDANT_ADMIN");
  return server == nullptr || *server == '\0' ? kDefaultAdminServer : server;
}

struct AdminOptions {
  ConnectionOptions connection;
  absl::Duration deadline = absl::Minutes(10);
};

FlagSet MakeAdminFlags(AdminOptions& options) {
  FlagSet flags({.name = "admin",
                 .synopsis = "[FLAGS] list | load NAME | unload NAME",
                 .summary = "Loads, replaces and unloads models of a running server.",
                 .examples = "  attendant admin list\n"
                             "  attendant admin load translate-en-de      # also: load it anew\n"
                             "  attendant admin unload classify-cifar10\n",
                 .notes =
                     "The server is that of attendant-server --admin: the environment variable\n"
                     "ATTENDANT_ADMIN, or 127.0.0.1:8501. load answers when the model does. A model that\n"
                     "is refused leaves in service what was there.\n"
                     "\n"
                     "Exit codes: 0 done; 1 refused, with the reason; 2 wrong command line; 3 server not\n"
                     "reachable; 4 deadline.\n"});
  AddConnectionFlags(flags, options.connection);
  options.connection.server = AdminServer();
  flags.Add(DurationFlag("deadline", "How long a load may take. Default 10m.", {.min = absl::Milliseconds(1)},
                         options.deadline));
  return flags;
}

// One of the commands over a connection: what to print.
class AdminCalls {
 public:
  AdminCalls(const std::shared_ptr<grpc::Channel>& channel, absl::Duration deadline)
      : stub_(v1::AdminService::NewStub(channel)) {
    context_.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
  }

  absl::StatusOr<std::string> List() {
    v1::ListVersionsResponse response;
    const absl::Status status = FromGrpc(stub_->ListVersions(&context_, {}, &response));
    if (!status.ok()) return status;
    return RenderModelTable({response.versions().begin(), response.versions().end()});
  }
  absl::StatusOr<std::string> Load(const std::string& name) {
    v1::LoadModelRequest request;
    request.set_name(name);
    v1::LoadModelResponse response;
    const absl::Status status = FromGrpc(stub_->LoadModel(&context_, request, &response));
    if (!status.ok()) return status;
    return RenderModelTable({response.model()});
  }
  absl::StatusOr<std::string> Unload(const std::string& name) {
    v1::UnloadModelRequest request;
    request.set_name(name);
    v1::UnloadModelResponse response;
    const absl::Status status = FromGrpc(stub_->UnloadModel(&context_, request, &response));
    if (!status.ok()) return status;
    return absl::StrCat(name, " is unloaded\n");
  }

 private:
  const std::unique_ptr<v1::AdminService::Stub> stub_;
  grpc::ClientContext context_;
};

absl::StatusOr<std::string> Call(const AdminOptions& options, const std::vector<std::string>& words) {
  const auto channel = Connect(options.connection);
  if (!channel.ok()) return channel.status();
  AdminCalls calls(*channel, options.deadline);
  if (words[0] == "list") return calls.List();
  return words[0] == "load" ? calls.Load(words[1]) : calls.Unload(words[1]);
}

bool IsCommand(const std::vector<std::string>& words) {
  if (words.size() == 1) return words[0] == "list";
  return words.size() == 2 && (words[0] == "load" || words[0] == "unload");
}

}  // namespace

ExitCode RunAdmin(const Args& args) {
  AdminOptions options;
  ExitCode exit_code = ExitCode::kOk;
  const std::optional<std::vector<std::string>> words =
      ParseOrExplain(MakeAdminFlags(options), args, exit_code);
  if (!words.has_value()) return exit_code;
  if (!IsCommand(*words)) {
    return UsageError(absl::InvalidArgumentError("say list, load NAME or unload NAME; see --help"), "admin");
  }
  if (const auto server = NormalizeServer(options.connection.server); !server.ok()) {
    return UsageError(server.status(), "admin");
  }
  StopSignal stop;
  options.connection.stop_fd = stop.fd();
  const absl::StatusOr<std::string> text = Call(options, *words);
  if (!text.ok()) {
    PrintError(DescribeError(text.status(), options.connection.server));
    return ExitCodeFor(text.status());
  }
  (void)OutputFile::OfDescriptor(STDOUT_FILENO).Write(*text);
  return ExitCode::kOk;
}

}  // namespace attendant::client
