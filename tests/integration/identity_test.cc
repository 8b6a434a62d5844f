#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/identity_fixture.h"
#include "tests/integration/test_server.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;
using grpc::StatusCode;
using testing::HasSubstr;
using testing::StartsWith;

enum class Needs { kNothing, kAnyKey, kInfer, kAdmin };
enum class Where { kMain, kAdmin, kBoth };

struct Rpc {
  std::string method;
  Needs needs;
  Where where;
};

// Each RPC there is. What is not in here fails EveryRpcIsInTheTable.
const std::vector<Rpc>& Rpcs() {
  static const auto& rpcs = *new std::vector<Rpc>{
      {"/attendant.v1.TranslationService/Translate", Needs::kInfer, Where::kMain},
      {"/attendant.v1.TranslationService/TranslateStream", Needs::kInfer, Where::kMain},
      {"/attendant.v1.TranslationService/ListLanguagePairs", Needs::kAnyKey, Where::kMain},
      {"/attendant.v1.EmbeddingService/EmbedText", Needs::kInfer, Where::kMain},
      {"/attendant.v1.EmbeddingService/EmbedImage", Needs::kInfer, Where::kMain},
      {"/attendant.v1.ClassificationService/ClassifyText", Needs::kInfer, Where::kMain},
      {"/attendant.v1.ClassificationService/ClassifyImage", Needs::kInfer, Where::kMain},
      {"/attendant.v1.ClassificationService/LabelTokens", Needs::kInfer, Where::kMain},
      {"/attendant.v1.AdminService/ListVersions", Needs::kAdmin, Where::kAdmin},
      {"/attendant.v1.AdminService/LoadModel", Needs::kAdmin, Where::kAdmin},
      {"/attendant.v1.AdminService/UnloadModel", Needs::kAdmin, Where::kAdmin},
      {"/attendant.v1.ModelService/ListModels", Needs::kAnyKey, Where::kBoth},
      {"/attendant.v1.ModelService/GetModel", Needs::kAnyKey, Where::kBoth},
      {"/inference.GRPCInferenceService/ServerLive", Needs::kAnyKey, Where::kBoth},
      {"/inference.GRPCInferenceService/ServerReady", Needs::kAnyKey, Where::kBoth},
      {"/inference.GRPCInferenceService/ServerMetadata", Needs::kAnyKey, Where::kBoth},
      {"/inference.GRPCInferenceService/ModelReady", Needs::kAnyKey, Where::kBoth},
      {"/inference.GRPCInferenceService/ModelMetadata", Needs::kAnyKey, Where::kBoth},
      {"/inference.GRPCInferenceService/ModelInfer", Needs::kInfer, Where::kBoth},
      {"/inference.GRPCInferenceService/ModelConfig", Needs::kAnyKey, Where::kBoth},
      {"/inference.GRPCInferenceService/ModelStatistics", Needs::kAnyKey, Where::kBoth},
      {"/inference.GRPCInferenceService/RepositoryIndex", Needs::kAnyKey, Where::kBoth},
      {"/inference.GRPCInferenceService/RepositoryModelLoad", Needs::kAdmin, Where::kBoth},
      {"/inference.GRPCInferenceService/RepositoryModelUnload", Needs::kAdmin, Where::kBoth},
      {"/grpc.health.v1.Health/Check", Needs::kNothing, Where::kBoth},
      {"/grpc.health.v1.Health/Watch", Needs::kNothing, Where::kBoth},
      {"/grpc.health.v1.Health/List", Needs::kNothing, Where::kBoth},
      {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Needs::kAnyKey, Where::kBoth},
      {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Needs::kAnyKey, Where::kBoth},
  };
  return rpcs;
}

constexpr char kListModels[] = "/attendant.v1.ModelService/ListModels";
constexpr char kTranslate[] = "/attendant.v1.TranslationService/Translate";
constexpr char kReflection[] = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

// Each caller, what it sends, and what its key is good for.
struct Caller {
  std::string name;
  CallMetadata metadata;
  bool is_known = false;
  bool may_infer = false;
  bool may_admin = false;
};

std::vector<Caller> Callers() {
  return {{"nobody", {}},
          {"wrong key", Bearer("stranger")},
          {"empty key", {{"authorization", "Bearer "}}},
          {"password", {{"authorization", "Basic aW5mZXI6a2V5LW9mLWluZmVy"}}},
          {"two keys", {{"authorization", "Bearer " + KeyOf("infer")}, {"authorization", "Bearer x"}}},
          {"key without a scheme", {{"authorization", KeyOf("infer")}}},
          {"infer", Bearer("infer"), true, true},
          {"infer, scheme in small letters", {{"authorization", "bearer " + KeyOf("infer")}}, true, true},
          {"infer by x-api-key", {{"x-api-key", KeyOf("infer")}}, true, true},
          {"wrong by x-api-key", {{"x-api-key", "x"}}},
          {"admin", Bearer("admin"), true, false, true},
          {"metrics", Bearer("metrics"), true, false},
          {"all", Bearer("all"), true, true, true}};
}

std::string KeyFileText() {
  return KeyEntryText("infer", "role: INFER") + KeyEntryText("admin", "role: ADMIN") +
         KeyEntryText("metrics", "role: METRICS") + KeyEntryText("all", "role: [INFER, ADMIN, METRICS]") +
         "key { id: 'by-certificate' certificate: 'worker.example.com' role: INFER }\n"
         "key { id: 'admin-by-certificate' certificate: 'admin.example.com' role: ADMIN }\n";
}

bool IsRefusal(StatusCode code) {
  return code == StatusCode::UNAUTHENTICATED || code == StatusCode::PERMISSION_DENIED ||
         code == StatusCode::UNIMPLEMENTED || code == StatusCode::UNAVAILABLE ||
         code == StatusCode::DEADLINE_EXCEEDED;
}

// nullopt: let in, whatever the answer then is.
std::optional<StatusCode> Expected(const Rpc& rpc, const Caller& caller, bool at_admin) {
  if (rpc.where == (at_admin ? Where::kMain : Where::kAdmin)) return StatusCode::UNIMPLEMENTED;
  if (rpc.needs == Needs::kNothing) return std::nullopt;
  if (!caller.is_known) return StatusCode::UNAUTHENTICATED;
  if (rpc.needs == Needs::kInfer && !caller.may_infer) return StatusCode::PERMISSION_DENIED;
  if (rpc.needs == Needs::kAdmin && !caller.may_admin) return StatusCode::PERMISSION_DENIED;
  return std::nullopt;
}

void ExpectTable(const std::shared_ptr<grpc::Channel>& channel, const std::vector<Caller>& callers,
                 bool at_admin) {
  for (const Rpc& rpc : Rpcs()) {
    for (const Caller& caller : callers) {
      const CallResult result = CallAny(channel, rpc.method, caller.metadata);
      const auto expected = Expected(rpc, caller, at_admin);
      SCOPED_TRACE(
          absl::StrCat(rpc.method, at_admin ? " at admin by " : " by ", caller.name, ": ", result.message));
      if (expected.has_value()) {
        EXPECT_EQ(result.code, *expected);
      } else {
        EXPECT_FALSE(IsRefusal(result.code)) << result.code;
      }
    }
  }
}

// After it the stream has surely begun.
template <typename Stream>
void ExpectAnAnswer(Stream& stream) {
  grpc::reflection::v1::ServerReflectionResponse response;
  EXPECT_TRUE(stream.Write({}));
  EXPECT_TRUE(stream.Read(&response));
}

// Whether the server there takes part in a handshake of no other version, with no weakness that OpenSSL knows
// ruled out on this side.
bool Handshakes(int port, int version) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), version);
  SSL_CTX_set_max_proto_version(context.get(), version);
  const unsigned char kHttp2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), kHttp2, sizeof(kHttp2));
  BIO* connection = BIO_new_ssl_connect(context.get());
  BIO_set_conn_hostname(connection, absl::StrCat("127.0.0.1:", port).c_str());
  const bool is_done = BIO_do_handshake(connection) == 1;
  BIO_free_all(connection);
  return is_done;
}

class IdentityTest : public testing::Test {
 protected:
  IdentityTest() { files_.WriteKeys(KeyFileText()); }
  static config::ServerConfig Config() {
    config::ServerConfig config = IdentityConfig();
    config.mutable_auth()->set_reflection(config::Auth::ON);
    return config;
  }
  void ExpectTables(IdentityServer& server, const Connection& connection) {
    ExpectTable(ConnectSecurely(server.server().grpc_port(), connection), Callers(), /*at_admin=*/false);
    ExpectTable(ConnectSecurely(server.server().admin_port(), connection), Callers(), /*at_admin=*/true);
  }
  static StatusCode CodeOf(IdentityServer& server, const Connection& connection, const CallMetadata& metadata,
                           const std::string& method = kListModels) {
    return CallAny(ConnectSecurely(server.server().grpc_port(), connection), method, metadata).code;
  }
  static double Metric(IdentityServer& server, const std::string& name, const std::string& labels) {
    return MetricIn(ScrapeWith(server.server().metrics_port(), "Basic bWV0cmljczprZXktb2YtbWV0cmljcw=="),
                    name, labels);
  }

  IdentityFiles files_;
};

TEST_F(IdentityTest, EveryRpcIsInTheTable) {
  std::set<std::string> listed;
  for (const Rpc& rpc : Rpcs()) EXPECT_TRUE(listed.insert(rpc.method).second) << rpc.method;
  const fs::path root = fs::path(ATTENDANT_SOURCE_DIR) / "proto";
  std::set<std::string> found;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".proto") continue;
    const std::string name = fs::relative(entry.path(), root);
    const auto* file = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
    ASSERT_NE(file, nullptr) << name << " is not in the build";
    for (int i = 0; i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        const auto& method = *file->service(i)->method(j);
        found.insert(absl::StrCat("/", method.service()->full_name(), "/", method.name()));
      }
    }
  }
  EXPECT_EQ(listed, found);
}

TEST_F(IdentityTest, EveryRpcInTheClear) {
  IdentityServer server(files_.WithKeys(Config()));
  ExpectTables(server, {});
  EXPECT_GT(Metric(server, "attendant_auth_failures_total", "missing"), 0);
  EXPECT_GT(Metric(server, "attendant_auth_failures_total", "malformed"), 0);
  EXPECT_GT(Metric(server, "attendant_auth_failures_total", "unknown"), 0);
  EXPECT_GT(Metric(server, "attendant_auth_failures_total", "role"), 0);
  EXPECT_GT(Metric(server, "attendant_key_requests_total", "key=\"infer\",result=\"admitted\""), 0);
}

TEST_F(IdentityTest, EveryRpcOverTls) {
  IdentityServer server(files_.WithTls(files_.WithKeys(Config())));
  ExpectTables(server, {files_.ca().pem});
}

TEST_F(IdentityTest, EveryRpcOverMutualTls) {
  const TestCertificate client =
      MakeCertificate({.common_name = "unlisted.example.com", .issuer = &files_.client_ca()});
  IdentityServer server(files_.WithMtls(files_.WithKeys(Config())));
  ExpectTables(server, {files_.ca().pem, &client});
}

TEST_F(IdentityTest, EveryRpcByCertificateAlone) {
  IdentityServer server(files_.WithMtls(files_.WithKeys(Config())));
  struct Case {
    std::string common_name;
    bool is_known;
    bool may_infer;
    bool may_admin;
  };
  for (const Case& c :
       {Case{"worker.example.com", true, true, false}, Case{"admin.example.com", true, false, true},
        Case{"unlisted.example.com", false, false, false}}) {
    const TestCertificate client =
        MakeCertificate({.common_name = c.common_name, .issuer = &files_.client_ca()});
    const Connection connection = {files_.ca().pem, &client};
    const std::vector<Caller> callers = {{c.common_name, {}, c.is_known, c.may_infer, c.may_admin},
                                         {c.common_name + " and a wrong key", Bearer("stranger")},
                                         {c.common_name + " and a key", Bearer("infer"), true, true}};
    ExpectTable(ConnectSecurely(server.server().grpc_port(), connection), callers, /*at_admin=*/false);
    ExpectTable(ConnectSecurely(server.server().admin_port(), connection), callers, /*at_admin=*/true);
  }
}

TEST_F(IdentityTest, EveryRpcWithoutKeysIsOpen) {
  IdentityServer server(Config());
  for (Caller caller : Callers()) {
    caller.is_known = caller.may_infer = true;  // But nobody may load and unload at the main listener.
    caller.may_admin = false;
    ExpectTable(ConnectSecurely(server.server().grpc_port(), {}), {caller}, /*at_admin=*/false);
  }
}

// With the best of keys, no RPC gets through a connection that is not what it should be.
TEST_F(IdentityTest, NoRpcOverAWrongConnection) {
  const TestCertificate other_ca = MakeCertificate({.common_name = "other ca", .is_ca = true});
  const TestCertificate good = MakeCertificate({.common_name = "c", .issuer = &files_.client_ca()});
  const TestCertificate of_other = MakeCertificate({.common_name = "c", .issuer = &other_ca});
  const TestCertificate of_servers_ca = MakeCertificate({.common_name = "c", .issuer = &files_.ca()});
  const TestCertificate self_signed = MakeCertificate({.common_name = "c"});
  const TestCertificate expired =
      MakeCertificate({.common_name = "c", .valid_until_seconds = -10, .issuer = &files_.client_ca()});
  const TestCertificate early =
      MakeCertificate({.common_name = "c", .valid_from_seconds = 600, .issuer = &files_.client_ca()});
  const std::string& ca = files_.ca().pem;
  struct Case {
    const char* name;
    bool is_mutual;
    Connection connection;
    bool is_good = false;
  };
  const Case cases[] = {{"TLS", false, {ca}, true},
                        {"plaintext against TLS", false, {}},
                        {"server of another authority", false, {other_ca.pem}},
                        {"mTLS", true, {ca, &good}, true},
                        {"plaintext against mTLS", true, {}},
                        {"no client certificate", true, {ca}},
                        {"server of another authority, mTLS", true, {other_ca.pem, &good}},
                        {"client of another authority", true, {ca, &of_other}},
                        {"client of the server's authority", true, {ca, &of_servers_ca}},
                        {"self-signed client", true, {ca, &self_signed}},
                        {"expired client", true, {ca, &expired}},
                        {"client not valid yet", true, {ca, &early}}};
  IdentityServer tls(files_.WithTls(files_.WithKeys(Config())));
  IdentityServer mtls(files_.WithMtls(files_.WithKeys(Config())));
  for (const Case& c : cases) {
    Server& server = (c.is_mutual ? mtls : tls).server();
    for (const int port : {server.grpc_port(), server.admin_port()}) {
      const auto channel = ConnectSecurely(port, c.connection);
      for (const Rpc& rpc : Rpcs()) {
        const Where elsewhere = port == server.admin_port() ? Where::kMain : Where::kAdmin;
        if (c.is_good && rpc.where == elsewhere) continue;
        const CallResult result = CallAny(channel, rpc.method, Bearer("all"));
        SCOPED_TRACE(absl::StrCat(c.name, ": ", rpc.method, ": ", result.message));
        EXPECT_EQ(result.code == StatusCode::UNAVAILABLE, !c.is_good) << result.code;
      }
    }
  }
}

TEST_F(IdentityTest, SpeaksTls12And13AndNothingOlder) {
  IdentityServer server(files_.WithTls(Config()));
  for (const int port : {server.server().grpc_port(), server.server().admin_port()}) {
    EXPECT_TRUE(Handshakes(port, TLS1_3_VERSION));
    EXPECT_TRUE(Handshakes(port, TLS1_2_VERSION));
    EXPECT_FALSE(Handshakes(port, TLS1_1_VERSION));
    EXPECT_FALSE(Handshakes(port, TLS1_VERSION));
  }
}

TEST_F(IdentityTest, TlsAgainstPlaintextFails) {
  IdentityServer server(files_.WithKeys(Config()));
  for (const Rpc& rpc : Rpcs()) {
    EXPECT_EQ(CodeOf(server, {files_.ca().pem}, Bearer("all"), rpc.method), StatusCode::UNAVAILABLE);
  }
}

TEST_F(IdentityTest, ACertificateThatExpiresWhileServingIsRefusedByClients) {
  const TestCertificate brief = MakeCertificate({.valid_until_seconds = 6, .issuer = &files_.ca()});
  files_.WritePair(brief.pem, brief.key_pem);
  IdentityServer server(files_.WithTls(Config()));
  EXPECT_EQ(CodeOf(server, {files_.ca().pem}, {}), StatusCode::OK);
  EXPECT_TRUE(BecomesTrue([&] { return CodeOf(server, {files_.ca().pem}, {}) == StatusCode::UNAVAILABLE; }));
}

TEST_F(IdentityTest, DoesNotStartWithFilesThatCannotServe) {
  const TestCertificate expired = MakeCertificate({.valid_until_seconds = -10});
  const TestCertificate early = MakeCertificate({.valid_from_seconds = 600});
  const TestCertificate good = MakeCertificate({});
  config::Logging quiet;
  quiet.set_level(config::Logging::ERROR);
  const Logger log(quiet);
  const auto error_of = [&](const config::ServerConfig& config) {
    const auto server = Server::Start(config, log);
    EXPECT_TRUE(absl::IsInvalidArgument(server.status())) << server.status();
    return std::string(server.status().message());
  };
  files_.WritePair(expired.pem, expired.key_pem);
  EXPECT_THAT(error_of(files_.WithTls(Config())), HasSubstr("expired on"));
  files_.WritePair(early.pem, early.key_pem);
  EXPECT_THAT(error_of(files_.WithTls(Config())), HasSubstr("valid only from"));
  files_.WritePair(good.pem, early.key_pem);
  EXPECT_THAT(error_of(files_.WithTls(Config())), HasSubstr("is not the key of"));
  files_.WriteKeys("key { id: 'a' }");
  EXPECT_THAT(error_of(files_.WithKeys(Config())), HasSubstr("keys.txt:1: key.sha256"));
}

TEST_F(IdentityTest, CertificatesAreReloadedAndABadPairKeepsTheOld) {
  IdentityServer server(files_.WithTls(files_.WithKeys(Config())));
  const auto works = [&](const TestCertificate& ca) {
    return CodeOf(server, {ca.pem}, Bearer("all")) == StatusCode::OK;
  };
  EXPECT_TRUE(works(files_.ca()));
  const double expiry = Metric(server, "attendant_tls_certificate_expiry_seconds", "");
  const auto old_connection = ConnectSecurely(server.server().grpc_port(), {files_.ca().pem});
  EXPECT_EQ(CallAny(old_connection, kListModels, Bearer("all")).code, StatusCode::OK);

  const TestCertificate new_ca = MakeCertificate({.common_name = "new ca", .is_ca = true});
  const TestCertificate renewed = MakeCertificate({.valid_until_seconds = 7200, .issuer = &new_ca});
  files_.WritePair(renewed.pem, files_.ca().key_pem);
  EXPECT_TRUE(BecomesTrue([&] { return Metric(server, "attendant_tls_loads_total", "refused") == 1; }));
  EXPECT_TRUE(works(files_.ca()));
  EXPECT_FALSE(works(new_ca));

  files_.WritePair(renewed.pem, renewed.key_pem);
  EXPECT_TRUE(BecomesTrue([&] { return works(new_ca); }));
  EXPECT_FALSE(works(files_.ca()));
  EXPECT_EQ(CallAny(old_connection, kListModels, Bearer("all")).code, StatusCode::OK);
  EXPECT_NEAR(Metric(server, "attendant_tls_certificate_expiry_seconds", "") - expiry, 3600, 60);
}

TEST_F(IdentityTest, ClientAuthoritiesAreReloaded) {
  const TestCertificate client = MakeCertificate({.common_name = "c", .issuer = &files_.client_ca()});
  IdentityServer server(files_.WithMtls(Config()));
  const Connection connection = {files_.ca().pem, &client};
  EXPECT_EQ(CodeOf(server, connection, {}), StatusCode::OK);
  const TestCertificate other = MakeCertificate({.common_name = "other", .is_ca = true});
  files_.dir().Write("client_ca.pem", other.pem);
  EXPECT_TRUE(BecomesTrue([&] { return CodeOf(server, connection, {}) == StatusCode::UNAVAILABLE; }));
}

TEST_F(IdentityTest, KeysAreReloadedAndABrokenFileKeepsTheOld) {
  IdentityServer server(files_.WithKeys(Config()));
  EXPECT_EQ(CodeOf(server, {}, Bearer("all")), StatusCode::OK);
  files_.WriteKeys("key { id: 'all'");
  EXPECT_TRUE(BecomesTrue([&] { return Metric(server, "attendant_key_file_loads_total", "refused") == 1; }));
  EXPECT_EQ(CodeOf(server, {}, Bearer("all")), StatusCode::OK);
  files_.WriteKeys(KeyEntryText("new", "role: INFER") + KeyEntryText("metrics", "role: METRICS"));
  EXPECT_TRUE(BecomesTrue([&] { return CodeOf(server, {}, Bearer("new")) == StatusCode::OK; }));
  EXPECT_EQ(CodeOf(server, {}, Bearer("all")), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Metric(server, "attendant_keys", ""), 2);
}

TEST_F(IdentityTest, QuotasAreRefusedWithAHint) {
  files_.WriteKeys(KeyEntryText("slow", "role: INFER requests_per_second: 0.01") +
                   KeyEntryText("one", "role: INFER max_concurrent: 1") +
                   KeyEntryText("metrics", "role: METRICS"));
  IdentityServer server(files_.WithKeys(Config()));
  const auto channel = ConnectSecurely(server.server().grpc_port(), {});
  EXPECT_EQ(CallAny(channel, kListModels, Bearer("slow")).code, StatusCode::OK);
  const CallResult refused = CallAny(channel, kTranslate, Bearer("slow"));
  EXPECT_EQ(refused.code, StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.retry_after_ms, testing::MatchesRegex("(9[0-9]{4}|100000)"));

  const auto stub = grpc::reflection::v1::ServerReflection::NewStub(channel);
  grpc::ClientContext context;
  context.AddMetadata("x-api-key", KeyOf("one"));
  const auto held = stub->ServerReflectionInfo(&context);
  ExpectAnAnswer(*held);
  EXPECT_TRUE(BecomesTrue(
      [&] { return CallAny(channel, kTranslate, Bearer("one")).code == StatusCode::RESOURCE_EXHAUSTED; }));
  EXPECT_EQ(CallAny(channel, kTranslate, Bearer("one")).retry_after_ms, "100");
  held->WritesDone();
  EXPECT_TRUE(held->Finish().ok());
  EXPECT_TRUE(
      BecomesTrue([&] { return CallAny(channel, kListModels, Bearer("one")).code == StatusCode::OK; }));
  EXPECT_GE(Metric(server, "attendant_rejected_total", "quota"), 2);
}

TEST_F(IdentityTest, MetricsNeedTheirRoleUnlessOpen) {
  config::ServerConfig config = files_.WithKeys(Config());
  {
    IdentityServer server(config);
    const int port = server.server().metrics_port();
    EXPECT_THAT(ScrapeWith(port, ""), StartsWith("HTTP/1.1 401"));
    // metrics:key-of-metrics, infer:key-of-infer, infer:key-of-metrics
    EXPECT_THAT(ScrapeWith(port, "Basic bWV0cmljczprZXktb2YtbWV0cmljcw=="), StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(ScrapeWith(port, "Basic aW5mZXI6a2V5LW9mLWluZmVy"), StartsWith("HTTP/1.1 401"));
    EXPECT_THAT(ScrapeWith(port, "Basic aW5mZXI6a2V5LW9mLW1ldHJpY3M="), StartsWith("HTTP/1.1 401"));
    EXPECT_THAT(ScrapeWith(port, "Basic !!!"), StartsWith("HTTP/1.1 401"));
  }
  config.mutable_auth()->set_metrics_open(true);
  IdentityServer open(config);
  EXPECT_THAT(ScrapeWith(open.server().metrics_port(), ""), StartsWith("HTTP/1.1 200"));
}

TEST_F(IdentityTest, ReflectionFollowsItsSetting) {
  const auto code_at = [&](int port) {
    return CallAny(ConnectSecurely(port, {}), kReflection, Bearer("infer")).code;
  };
  struct Case {
    config::Auth::Reflection setting;
    bool has_keys;
    StatusCode at_main;
    StatusCode at_admin;
  };
  const Case cases[] = {
      {config::Auth::AUTO, false, StatusCode::OK, StatusCode::OK},
      {config::Auth::AUTO, true, StatusCode::UNIMPLEMENTED, StatusCode::OK},
      {config::Auth::ON, true, StatusCode::OK, StatusCode::OK},
      {config::Auth::OFF, false, StatusCode::UNIMPLEMENTED, StatusCode::UNIMPLEMENTED},
      {config::Auth::OFF, true, StatusCode::UNIMPLEMENTED, StatusCode::UNIMPLEMENTED},
  };
  for (const Case& c : cases) {
    config::ServerConfig config = c.has_keys ? files_.WithKeys(Config()) : Config();
    config.mutable_auth()->set_reflection(c.setting);
    IdentityServer server(config);
    SCOPED_TRACE(absl::StrCat(c.setting, c.has_keys));
    EXPECT_EQ(code_at(server.server().grpc_port()), c.at_main);
    EXPECT_EQ(code_at(server.server().admin_port()), c.at_admin);
  }
}

TEST_F(IdentityTest, ReflectionListsTheListenersServicesAndTheirFiles) {
  IdentityServer server(Config());
  const auto stub =
      grpc::reflection::v1::ServerReflection::NewStub(ConnectSecurely(server.server().grpc_port(), {}));
  grpc::ClientContext context;
  const auto stream = stub->ServerReflectionInfo(&context);
  const auto ask = [&](const grpc::reflection::v1::ServerReflectionRequest& request) {
    grpc::reflection::v1::ServerReflectionResponse response;
    EXPECT_TRUE(stream->Write(request));
    EXPECT_TRUE(stream->Read(&response));
    return response;
  };
  grpc::reflection::v1::ServerReflectionRequest request;
  request.set_list_services("");
  std::set<std::string> services;
  const auto listed = ask(request).list_services_response();
  for (const auto& service : listed.service()) services.insert(service.name());
  std::set<std::string> expected;
  for (const Rpc& rpc : Rpcs()) {
    if (rpc.where != Where::kAdmin) expected.insert(rpc.method.substr(1, rpc.method.rfind('/') - 1));
  }
  EXPECT_EQ(services, expected);
  for (const std::string& service : services) {
    request.set_file_containing_symbol(service);
    EXPECT_FALSE(ask(request).has_error_response()) << service;
  }
  request.set_file_containing_symbol("attendant.v1.TranslationService.Translate");
  google::protobuf::FileDescriptorProto last;
  const auto files = ask(request).file_descriptor_response();
  ASSERT_GE(files.file_descriptor_proto_size(), 2) << "with its imports";
  ASSERT_TRUE(last.ParseFromString(files.file_descriptor_proto(files.file_descriptor_proto_size() - 1)));
  EXPECT_EQ(last.name(), "attendant/v1/translation_service.proto");
  request.set_file_by_filename("none.proto");
  EXPECT_EQ(ask(request).error_response().error_code(), static_cast<int>(StatusCode::NOT_FOUND));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(IdentityTest, AnOpenReflectionStreamDoesNotHoldTheDrain) {
  config::ServerConfig config = Config();
  config.mutable_lifecycle()->set_drain_timeout_ms(60'000);
  IdentityServer server(config);
  const auto stub =
      grpc::reflection::v1::ServerReflection::NewStub(ConnectSecurely(server.server().grpc_port(), {}));
  grpc::ClientContext context;
  const auto stream = stub->ServerReflectionInfo(&context);
  ExpectAnAnswer(*stream);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(server.server().Drain());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace attendant
