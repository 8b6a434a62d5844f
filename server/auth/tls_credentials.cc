#include "server/auth/tls_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <string>

namespace attendant {
namespace {

grpc_ssl_certificate_config_reload_status Fetch(void* source, grpc_ssl_server_certificate_config** config) {
  const std::shared_ptr<const TlsMaterial> material = static_cast<TlsSource*>(source)->TakeNew();
  if (material == nullptr) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  const grpc_ssl_pem_key_cert_pair pair = {material->key.c_str(), material->certificate_chain.c_str()};
  // gRPC insists on roots here, and uses them only where it asks clients for certificates.
  const std::string& roots = material->client_ca.empty() ? material->certificate_chain : material->client_ca;
  *config = grpc_ssl_server_certificate_config_create(roots.c_str(), &pair, 1);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

// gRPC's C++ layer has no way to the C layer's fetcher but this.
class FetchingCredentials final : public grpc::ServerCredentials {
 public:
  FetchingCredentials(TlsSource& source, grpc_ssl_client_certificate_request_type clients)
      : credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(clients, &Fetch, &source))) {}
  ~FetchingCredentials() override { grpc_server_credentials_release(credentials_); }

  // Keys are checked by KeyRing, not by gRPC's processors.
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> TlsSource::MakeCredentials() {
  const auto clients = current_()->client_ca.empty()
                           ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                           : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  return std::make_shared<FetchingCredentials>(*this, clients);
}

std::shared_ptr<const TlsMaterial> TlsSource::TakeNew() {
  std::shared_ptr<const TlsMaterial> material = current_();
  const std::lock_guard lock(mutex_);
  if (material == taken_) return nullptr;
  taken_ = material;
  return material;
}

}  // namespace attendant
