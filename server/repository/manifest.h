#pragma once

#include <filesystem>

#include "absl/status/status.h"

namespace attendant {

// The manifest of a model's directory, as `sha256sum` writes it: lines of 64 hexadecimal digits, a blank, a
// blank or '*', and a path within the directory.
inline constexpr char kManifestFile[] = "SHA256SUMS";

// Where the directory has a manifest: every file it names is there and has its digest, and every file that is
// there is named, but for the manifest itself, hidden files, serving.textproto and what only people read
// (*.md, LICENSE, NOTICE, ATTRIBUTION). OK where it has none. Errors: DATA_LOSS names the file and what is
// wrong. It proves what the files were when they were read for it: who may write there while a model loads
// can still change them.
absl::Status CheckManifest(const std::filesystem::path& dir);

}  // namespace attendant
