#include "server/auth/key_file.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "engine/base/file.h"
#include "engine/base/status_macros.h"
#include "server/model_name.h"

namespace attendant {
namespace {

using google::protobuf::TextFormat;

constexpr int32_t kMaxCount = 1'000'000;
constexpr double kLeastRate = 0.001;
constexpr int kMaxCertificates = 16;
constexpr size_t kMaxCertificateBytes = 256;

class FirstKeyFileError final : public google::protobuf::io::ErrorCollector {
 public:
  // The parser's message may quote the file, so it is not told: a key pasted in the wrong place stays secret.
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string&) override {
    if (text_.empty()) text_ = absl::StrCat(line + 1, ":", column + 1);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::Status CheckQuota(const auth::Key& key) {
  const double rate = key.requests_per_second();
  if (rate != 0 && !(rate >= kLeastRate && rate <= kMaxCount)) {
    return absl::InvalidArgumentError("requests_per_second: must be 0 or 0.001 to 1000000");
  }
  if (key.burst() < 0 || key.burst() > kMaxCount) {
    return absl::InvalidArgumentError("burst: must be 0 to 1000000");
  }
  if (key.max_concurrent() < 0 || key.max_concurrent() > kMaxCount) {
    return absl::InvalidArgumentError("max_concurrent: must be 0 to 1000000");
  }
  return absl::OkStatus();
}

absl::Status CheckCertificates(const auth::Key& key) {
  if (key.certificate_size() > kMaxCertificates) {
    return absl::InvalidArgumentError("certificate: at most 16 for one key");
  }
  for (const std::string& name : key.certificate()) {
    if (name.empty() || name.size() > kMaxCertificateBytes) {
      return absl::InvalidArgumentError("certificate: must be 1 to 256 bytes");
    }
  }
  return absl::OkStatus();
}

TokenRate RateOf(const auth::Key& key) {
  TokenRate rate;
  rate.per_second = key.requests_per_second();
  const double burst = key.burst() > 0 ? key.burst() : std::ceil(key.requests_per_second());
  rate.burst = std::max(1, static_cast<int32_t>(burst));
  return rate;
}

absl::StatusOr<KeyRecord> CheckedKey(const auth::Key& key) {
  if (!CheckModelName(key.id()).ok()) {
    return absl::InvalidArgumentError("id: must be 1 to 64 of A-Z a-z 0-9 . _ - without a leading dot");
  }
  KeyRecord record;
  record.id = key.id();
  record.digest = DigestFromHex(key.sha256());
  if (key.has_sha256() && !record.digest.has_value()) {
    return absl::InvalidArgumentError("sha256: must be 64 hexadecimal digits; --new-key makes them");
  }
  ATTENDANT_RETURN_IF_ERROR(CheckCertificates(key));
  if (!key.has_sha256() && key.certificate().empty()) {
    return absl::InvalidArgumentError("sha256: is missing, and so is certificate; give one of them");
  }
  if (key.role().empty()) return absl::InvalidArgumentError("role: give INFER, ADMIN or METRICS");
  ATTENDANT_RETURN_IF_ERROR(CheckQuota(key));
  record.certificates.assign(key.certificate().begin(), key.certificate().end());
  for (const int role : key.role()) record.roles |= 1U << role;
  record.rate = RateOf(key);
  record.max_concurrent = key.max_concurrent();
  return record;
}

// Refuses what two keys may not share.
class UniqueKeys {
 public:
  absl::Status Add(const KeyRecord& key) {
    if (!ids_.insert(key.id).second) return absl::InvalidArgumentError("id: is there twice");
    if (key.digest.has_value() && !digests_.insert(*key.digest).second) {
      return absl::InvalidArgumentError("sha256: is there twice; each id needs a key of its own");
    }
    for (const std::string& name : key.certificates) {
      if (!certificates_.insert(name).second)
        return absl::InvalidArgumentError("certificate: is there twice");
    }
    return absl::OkStatus();
  }

 private:
  std::set<std::string> ids_;
  std::set<Sha256Digest> digests_;
  std::set<std::string> certificates_;
};

absl::StatusOr<std::vector<KeyRecord>> CheckedKeys(const auth::KeyFile& file,
                                                   const TextFormat::ParseInfoTree& tree,
                                                   absl::string_view name) {
  if (file.key().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": has no keys; make one with attendant-server --new-key ID --roles infer"));
  }
  if (file.key_size() > kMaxKeys) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": has more than ", kMaxKeys, " keys"));
  }
  const auto* field = auth::KeyFile::descriptor()->FindFieldByName("key");
  UniqueKeys unique;
  std::vector<KeyRecord> keys;
  for (int i = 0; i < file.key_size(); ++i) {
    absl::StatusOr<KeyRecord> key = CheckedKey(file.key(i));
    const absl::Status status = key.ok() ? unique.Add(*key) : key.status();
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ":", tree.GetLocation(field, i).line + 1, ": key.", status.message()));
    }
    keys.push_back(*std::move(key));
  }
  return keys;
}

}  // namespace

absl::StatusOr<std::vector<KeyRecord>> ParseKeyFile(const std::string& text, absl::string_view name) {
  if (text.size() > kMaxKeyFileBytes) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": is larger than ", kMaxKeyFileBytes, " bytes"));
  }
  auth::KeyFile file;
  TextFormat::ParseInfoTree tree;
  FirstKeyFileError error;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(&tree);
  if (!parser.ParseFromString(text, &file)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ":", error.text(),
                     ": is not an entry such as  key { id: \"shop\" sha256: \"...\" role: INFER }"));
  }
  return CheckedKeys(file, tree, name);
}

absl::StatusOr<std::vector<KeyRecord>> ReadKeyFile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path, kMaxKeyFileBytes);
  if (text.ok()) return ParseKeyFile(*text, path);
  return absl::InvalidArgumentError(absl::StrCat(text.status().message(), "; see --api-keys"));
}

}  // namespace attendant
