#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace attendant {

// A certificate made for a test, with its key.
struct TestCertificate {
  std::shared_ptr<X509> x509;
  std::shared_ptr<EVP_PKEY> pkey;
  std::string pem;
  std::string key_pem;
};

struct CertificateSpec {
  std::string common_name = "localhost";
  bool is_ca = false;
  long valid_from_seconds = -3600;  // From now ...
  long valid_until_seconds = 3600;
  const TestCertificate* issuer = nullptr;  // nullptr: itself.
};

// P-256; alternative names DNS:common_name and IP:127.0.0.1.
TestCertificate MakeCertificate(const CertificateSpec& spec);

}  // namespace attendant
