#include "server/repository/manifest.h"

#include <algorithm>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "engine/base/file.h"
#include "engine/base/status_macros.h"
#include "server/repository/model_directory.h"
#include "server/sha256.h"

namespace attendant {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxManifestBytes = 1 << 20;
constexpr size_t kHexDigits = 64;

absl::Status Broken(const fs::path& where, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(where.string(), ": ", what));
}

struct ManifestLine {
  std::string digest;  // Hexadecimal, lower case.
  std::string path;
};

absl::StatusOr<ManifestLine> ParseLine(const fs::path& manifest, absl::string_view text) {
  const auto is_hex = [](char c) { return absl::ascii_isxdigit(c); };
  const bool has_shape =
      text.size() > kHexDigits + 2 && std::all_of(text.begin(), text.begin() + kHexDigits, is_hex) &&
      text[kHexDigits] == ' ' && (text[kHexDigits + 1] == ' ' || text[kHexDigits + 1] == '*');
  if (!has_shape)
    return Broken(manifest, absl::StrCat("\"", absl::CHexEscape(text), "\" is no line of sha256sum"));
  return ManifestLine{absl::AsciiStrToLower(text.substr(0, kHexDigits)),
                      std::string(text.substr(kHexDigits + 2))};
}

// Each step of it is a plain name: nothing outside of the directory is read for a manifest.
absl::Status CheckPath(const fs::path& manifest, absl::string_view path) {
  for (absl::string_view step : absl::StrSplit(path, '/')) {
    if (step.empty() || step == "." || step == ".." || step.find('\0') != absl::string_view::npos) {
      return Broken(manifest,
                    absl::StrCat("\"", absl::CHexEscape(path), "\" is not a path within the directory"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckFile(const fs::path& dir, const ManifestLine& line) {
  std::error_code error;
  const fs::path real_dir = fs::canonical(dir, error), real = fs::canonical(dir / line.path, error);
  const auto differ = std::mismatch(real_dir.begin(), real_dir.end(), real.begin(), real.end());
  if (!error && differ.first != real_dir.end())
    return Broken(dir / line.path, "is a link out of the directory");
  const absl::StatusOr<Sha256Digest> digest = Sha256OfFile(dir / line.path);
  if (!digest.ok())
    return Broken(dir / line.path, absl::StrCat("the manifest names it, but ", digest.status().message()));
  const std::string actual = ToHex(*digest);
  if (actual == line.digest) return absl::OkStatus();
  return Broken(dir / line.path,
                absl::StrCat("is not what ", kManifestFile, " says: its SHA-256 is ", actual));
}

bool NeedsNoDigest(const fs::path& file) {
  const std::string name = file.filename();
  return name.front() == '.' || file.extension() == ".md" || name == kManifestFile || name == kServingFile ||
         name == "LICENSE" || name == "NOTICE" || name == "ATTRIBUTION";
}

absl::Status CheckThatAllAreNamed(const fs::path& dir, const std::set<std::string>& named) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    if (it->is_symlink(error) && it->is_directory(error)) {
      return Broken(it->path(), "is a link to a directory, which no manifest can answer for");
    }
    if (it->is_directory(error) || NeedsNoDigest(it->path())) continue;
    if (named.contains(it->path().lexically_relative(dir))) continue;
    return Broken(it->path(), absl::StrCat(kManifestFile, " does not name it; add it there or remove it"));
  }
  return error ? Broken(dir, error.message()) : absl::OkStatus();
}

}  // namespace

absl::Status CheckManifest(const fs::path& dir) {
  const fs::path manifest = dir / kManifestFile;
  std::error_code error;
  if (!fs::exists(fs::symlink_status(manifest, error))) return absl::OkStatus();
  ATTENDANT_ASSIGN_OR_RETURN(const std::string text,
                             ReadTextFileWithin(dir, kManifestFile, kMaxManifestBytes));
  std::set<std::string> named;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    ATTENDANT_ASSIGN_OR_RETURN(ManifestLine parsed, ParseLine(manifest, absl::StripSuffix(line, "\r")));
    ATTENDANT_RETURN_IF_ERROR(CheckPath(manifest, parsed.path));
    ATTENDANT_RETURN_IF_ERROR(CheckFile(dir, parsed));
    if (!named.insert(parsed.path).second)
      return Broken(manifest, absl::StrCat("names ", parsed.path, " twice"));
  }
  return CheckThatAllAreNamed(dir, named);
}

}  // namespace attendant
