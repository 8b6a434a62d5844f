#include "server/auth/tls_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <ctime>

#include "tests/server/auth/certificates.h"
#include "tests/server/temp_dir.h"

namespace attendant {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class TlsFilesTest : public testing::Test {
 protected:
  config::Tls Write(const std::string& certificate, const std::string& key, const std::string& ca = "") {
    config::Tls files;
    files.set_certificate(dir_.Write("cert.pem", certificate));
    files.set_key(dir_.Write("key.pem", key));
    if (!ca.empty()) files.set_client_ca(dir_.Write("ca.pem", ca));
    return files;
  }
  static std::string ErrorOf(const config::Tls& files, int64_t now = std::time(nullptr)) {
    const auto material = ReadTlsFiles(files, now);
    EXPECT_TRUE(absl::IsInvalidArgument(material.status())) << material.status();
    EXPECT_THAT(std::string(material.status().message()), Not(HasSubstr("\n")));
    return std::string(material.status().message());
  }

  const TempDir dir_;
  const TestCertificate ca_ = MakeCertificate({.common_name = "ca", .is_ca = true});
  const TestCertificate leaf_ = MakeCertificate({.issuer = &ca_});
};

TEST_F(TlsFilesTest, ReadsAPairWithItsChain) {
  const TestCertificate brief = MakeCertificate({.valid_until_seconds = 100, .issuer = &ca_});
  const std::time_t now = std::time(nullptr);
  const auto material = ReadTlsFiles(Write(brief.pem + ca_.pem, brief.key_pem, ca_.pem), now);
  ASSERT_TRUE(material.ok()) << material.status();
  EXPECT_NEAR(static_cast<double>(material->not_after), static_cast<double>(now + 100), 5);
  EXPECT_EQ(material->client_ca, ca_.pem);
}

TEST_F(TlsFilesTest, TimesHoldFromTheFirstSecondToTheLast) {
  const auto files = Write(leaf_.pem, leaf_.key_pem);
  const int64_t not_after = ReadTlsFiles(files, std::time(nullptr))->not_after;
  const int64_t not_before = not_after - 7200;
  EXPECT_TRUE(ReadTlsFiles(files, not_before).ok());
  EXPECT_TRUE(ReadTlsFiles(files, not_after - 1).ok());
  EXPECT_THAT(ErrorOf(files, not_before - 1), AllOf(HasSubstr("cert.pem"), HasSubstr("valid only from")));
  EXPECT_THAT(ErrorOf(files, not_after), AllOf(HasSubstr("cert.pem"), HasSubstr("expired on")));
}

TEST_F(TlsFilesTest, AnExpiredIntermediateIsRefusedAsWell) {
  const TestCertificate old = MakeCertificate({.valid_until_seconds = -10});
  EXPECT_THAT(ErrorOf(Write(leaf_.pem + old.pem, leaf_.key_pem)), HasSubstr("expired on"));
}

TEST_F(TlsFilesTest, KeyAndCertificateOfDifferentPairsAreRefused) {
  EXPECT_THAT(ErrorOf(Write(leaf_.pem, ca_.key_pem)),
              AllOf(HasSubstr("key.pem"), HasSubstr("is not the key")));
  EXPECT_THAT(ErrorOf(Write(ca_.pem + leaf_.pem, leaf_.key_pem)), HasSubstr("is not the key of the first"));
}

TEST_F(TlsFilesTest, WhatIsNoPemIsSaidForEachFile) {
  EXPECT_THAT(ErrorOf(Write("", leaf_.key_pem)),
              AllOf(HasSubstr("cert.pem"), HasSubstr("no PEM certificate")));
  EXPECT_THAT(ErrorOf(Write(leaf_.pem.substr(0, leaf_.pem.size() / 2), leaf_.key_pem)),
              HasSubstr("cert.pem"));
  EXPECT_THAT(ErrorOf(Write(leaf_.pem, "x")),
              AllOf(HasSubstr("key.pem"), HasSubstr("not a PEM private key")));
  EXPECT_THAT(ErrorOf(Write(leaf_.pem, leaf_.key_pem, leaf_.key_pem)), HasSubstr("ca.pem"));
}

TEST_F(TlsFilesTest, AKeyWithAPassphraseIsRefusedAndNobodyIsAsked) {
  BIO* bio = BIO_new(BIO_s_mem());
  char passphrase[] = "secret";
  PEM_write_bio_PrivateKey(bio, leaf_.pkey.get(), EVP_aes_128_cbc(), nullptr, 0, nullptr, passphrase);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  const std::string encrypted(data, static_cast<size_t>(size));
  BIO_free(bio);
  EXPECT_THAT(ErrorOf(Write(leaf_.pem, encrypted)), HasSubstr("without a passphrase"));
}

TEST_F(TlsFilesTest, MissingFilesAreNamedWithTheFlags) {
  config::Tls files = Write(leaf_.pem, leaf_.key_pem);
  files.set_key("/nowhere/key.pem");
  EXPECT_THAT(ErrorOf(files), AllOf(HasSubstr("/nowhere/key.pem"), HasSubstr("--tls-key")));
}

}  // namespace
}  // namespace attendant
