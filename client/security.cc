#include "client/security.h"

#include <arpa/inet.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/client_interceptor.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/strings.h"

namespace attendant::client {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr size_t kMaxKeyBytes = 4096;
constexpr char kKeyVariable[] = "ATTENDANT_API_KEY";
constexpr char kNoSecureConnection[] = "no secure connection: ";

namespace ex = grpc::experimental;

// Adds the key to what each call sends first, whatever its kind. gRPC's own way works over TLS alone.
class KeySender final : public ex::Interceptor {
 public:
  explicit KeySender(const std::string& header) : header_(header) {}
  void Intercept(ex::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(ex::InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->insert({"authorization", header_});
    }
    methods->Proceed();
  }

 private:
  const std::string& header_;
};

class KeySenderFactory final : public ex::ClientInterceptorFactoryInterface {
 public:
  explicit KeySenderFactory(const std::string& key) : header_("Bearer " + key) {}
  ex::Interceptor* CreateClientInterceptor(ex::ClientRpcInfo* /*info*/) override {
    return new KeySender(header_);
  }

 private:
  const std::string header_;
};

absl::StatusOr<std::string> ReadSmallFile(std::string_view flag, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  if (in) text.assign(std::istreambuf_iterator<char>(in), {});
  if (!in || text.empty() || text.size() > kMaxFileBytes) {
    return absl::UnknownError(absl::StrCat("--", Absl(flag), ": cannot read ", path));
  }
  return text;
}

// "": no file was asked for.
absl::Status ReadIfNamed(std::string_view flag, const std::string& path, std::string& text) {
  if (path.empty()) return absl::OkStatus();
  absl::StatusOr<std::string> read = ReadSmallFile(flag, path);
  if (read.ok()) text = *std::move(read);
  return read.status();
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(const SecurityOptions& options) {
  if (!options.UsesTls()) return grpc::InsecureChannelCredentials();
  if (options.cert_file.empty() != options.key_file.empty()) {
    return absl::UnknownError("--tls-cert and --tls-key go together: give both");
  }
  grpc::SslCredentialsOptions ssl;
  absl::Status status = ReadIfNamed("tls-ca", options.ca_file, ssl.pem_root_certs);
  if (status.ok()) status = ReadIfNamed("tls-cert", options.cert_file, ssl.pem_cert_chain);
  if (status.ok()) status = ReadIfNamed("tls-key", options.key_file, ssl.pem_private_key);
  if (!status.ok()) return status;
  return grpc::SslCredentials(ssl);
}

bool IsHeaderText(const std::string& key) {
  return !key.empty() && key.size() <= kMaxKeyBytes &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// "": there is none.
absl::StatusOr<std::string> FindKey(const SecurityOptions& options) {
  const char* variable = std::getenv(kKeyVariable);
  if (options.api_key_file.empty() && (variable == nullptr || *variable == '\0')) return std::string();
  std::string key = options.api_key_file.empty() ? std::string(variable) : std::string();
  const absl::Status status = ReadIfNamed("api-key-file", options.api_key_file, key);
  if (!status.ok()) return status;
  absl::StripAsciiWhitespace(&key);
  if (IsHeaderText(key)) return key;
  return absl::UnknownError(absl::StrCat(options.api_key_file.empty() ? kKeyVariable : options.api_key_file,
                                         ": is not one API key and nothing else"));
}

}  // namespace

void AddSecurityFlags(FlagSet& flags, SecurityOptions& options) {
  flags.BeginGroup("Security");
  flags.Add(SwitchFlag("tls",
                       "Speak TLS, and trust the authorities that the system trusts.\n"
                       "The four flags that follow mean TLS as well.",
                       [&options] { options.tls = true; }));
  const auto add = [&flags](const char* name, const char* value, const char* help, std::string& target) {
    flags.Add(TextFlag(name, value, help, [&target](std::string text) { target = std::move(text); }));
  };
  add("tls-ca", "FILE", "PEM certificates of the authorities to trust instead.", options.ca_file);
  add("tls-cert", "FILE", "PEM certificate of this client, for a server that asks for one.",
      options.cert_file);
  add("tls-key", "FILE", "Its private key.", options.key_file);
  add("tls-server-name", "NAME", "The name in the server's certificate, if it is not the\nhost of --server.",
      options.server_name);
  add("api-key-file", "FILE",
      "File with the API key. Default: the environment variable\nATTENDANT_API_KEY holds the key itself.",
      options.api_key_file);
  flags.Add(SwitchFlag("send-key-in-clear",
                       "Send the key without TLS to another machine: whoever is\n"
                       "on the way can read and use it.",
                       [&options] { options.send_key_in_clear = true; }));
}

bool IsThisMachine(std::string_view server) {
  if (server.substr(0, 5) == "unix:" || server.substr(0, 6) == "[::1]:") return true;
  const std::string host(server.substr(0, server.rfind(':')));
  in_addr address{};
  constexpr uint32_t kLoopbackNet = 127;
  const bool is_ipv4 = inet_pton(AF_INET, host.c_str(), &address) == 1;
  return host == "localhost" || (is_ipv4 && ntohl(address.s_addr) >> 24 == kLoopbackNet);
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeSecureChannel(const SecurityOptions& options,
                                                                 const std::string& server,
                                                                 grpc::ChannelArguments arguments) {
  const auto credentials = MakeCredentials(options);
  if (!credentials.ok()) return credentials.status();
  const absl::StatusOr<std::string> key = FindKey(options);
  if (!key.ok()) return key.status();
  if (!options.server_name.empty()) arguments.SetSslTargetNameOverride(options.server_name);
  if (key->empty()) return grpc::CreateCustomChannel(server, *credentials, arguments);
  if (!options.UsesTls() && !options.send_key_in_clear && !IsThisMachine(server)) {
    return absl::UnknownError(
        absl::StrCat("the API key would go to ", server,
                     " in the clear: add --tls or --tls-ca FILE (or --send-key-in-clear, if you mean it)"));
  }
  std::vector<std::unique_ptr<ex::ClientInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(std::make_unique<KeySenderFactory>(*key));
  return ex::CreateCustomChannelWithInterceptors(server, *credentials, arguments, std::move(interceptors));
}

absl::Status ExplainHandshake(const SecurityOptions& options, std::string_view grpc_message) {
  const absl::string_view message = Absl(grpc_message);
  const auto because = [](absl::string_view why) {
    return absl::UnavailableError(absl::StrCat(kNoSecureConnection, why));
  };
  const bool is_closed = absl::StrContains(message, "Socket closed") ||
                         absl::StrContains(message, "reset by peer") || absl::StrContains(message, "closed");
  if (!options.UsesTls()) {
    return is_closed ? because("the server hangs up; if it speaks TLS, add --tls or --tls-ca FILE")
                     : absl::OkStatus();
  }
  if (absl::StrContains(message, "CERTIFICATE_VERIFY_FAILED") ||
      absl::StrContains(message, "certificate verify failed")) {
    return because(
        "the server's certificate has expired or is not of an authority trusted here; --tls-ca FILE names "
        "one");
  }
  if (absl::StrContains(message, "peer certificate")) {
    return because(
        "the server's certificate is for another name; --tls-server-name NAME says which to expect");
  }
  if (absl::StrContains(message, "wrong version number") ||
      absl::StrContains(message, "WRONG_VERSION_NUMBER")) {
    return because("the server does not speak TLS here; leave --tls and its like away");
  }
  if (absl::StrContains(message, "andshake")) return because(message);
  if (is_closed && options.cert_file.empty()) {
    return because("the server hangs up; it may ask for a client certificate: --tls-cert and --tls-key");
  }
  if (is_closed) return because("the server hangs up; it does not accept this client's certificate");
  return absl::OkStatus();
}

bool IsHandshakeError(const absl::Status& status) {
  return absl::IsUnavailable(status) && absl::StartsWith(status.message(), kNoSecureConnection);
}

}  // namespace attendant::client
