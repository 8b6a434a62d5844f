#include "tests/server/auth/certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <stdexcept>

namespace attendant {
namespace {

std::string Contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  if (extension == nullptr) throw std::runtime_error("no extension " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

TestCertificate MakeCertificate(const CertificateSpec& spec) {
  static std::atomic<long> serial{1};
  TestCertificate made;
  made.pkey.reset(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  made.x509.reset(X509_new(), &X509_free);
  X509* certificate = made.x509.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), spec.valid_from_seconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate), spec.valid_until_seconds);
  X509_set_pubkey(certificate, made.pkey.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(spec.common_name.c_str()), -1, -1, 0);
  const TestCertificate& issuer = spec.issuer == nullptr ? made : *spec.issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer.x509.get()));
  AddExtension(certificate, NID_basic_constraints, spec.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  AddExtension(certificate, NID_subject_alt_name, "DNS:" + spec.common_name + ",IP:127.0.0.1");
  if (X509_sign(certificate, issuer.pkey.get(), EVP_sha256()) == 0) throw std::runtime_error("cannot sign");
  BIO* pem = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(pem, certificate);
  made.pem = Contents(pem);
  BIO* key = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(key, made.pkey.get(), nullptr, nullptr, 0, nullptr, nullptr);
  made.key_pem = Contents(key);
  return made;
}

}  // namespace attendant
