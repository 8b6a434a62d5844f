#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "attendant/v1/translation_service.pb.h"
#include "client/connection.h"
#include "client/flags.h"

namespace attendant::client {

// What the command line of `attendant translate` asks for.
struct TranslateOptions {
  ConnectionOptions connection;
  v1::TranslateRequest request;  // All but the contents.
  absl::Duration deadline = absl::Seconds(60);
  int retries = 10;
  int concurrency = 64;
  int batch = 8;
  std::string input;         // "": the arguments, or standard input.
  std::string output;        // "": standard output.
  std::string output_image;  // "": none.
  bool whole = false;
  bool stream = false;
  bool json = false;
  bool scores = false;
  bool alignment = false;
  bool quiet = false;
  std::vector<std::string> texts;
};

// The flags; `options` must outlive them.
FlagSet MakeTranslateFlags(TranslateOptions& options);

// After parsing: what cannot go together, and what one option means for another (--n-best for --beam,
// --sample and
// --stream for a beam of 1). INVALID_ARGUMENT.
absl::Status CompleteOptions(TranslateOptions& options);

}  // namespace attendant::client
