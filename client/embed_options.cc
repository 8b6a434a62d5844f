#include "client/embed_options.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/strings.h"

namespace attendant::client {
namespace {

constexpr char kEmbedSummary[] =
    "Vectors for texts: each argument, or each line of standard input or of a file. What means the like\n"
    "lies close together. With --images the arguments are image files or directories. The order is kept.";

constexpr char kEmbedExamples[] =
    "  attendant embed \"A cat sat on the mat.\" | jq -c .embedding\n"
    "  attendant embed --input titles.txt --format npy --output titles.npy\n"
    "  attendant embed --prompt query --normalize \"how do cats sit\"\n"
    "  attendant embed --similarity --plot \"A cat sat.\" \"The kitten slept.\" \"Shares fell.\"\n"
    "  attendant embed --images --format csv --output photos.csv photos/\n";

constexpr char kEmbedNotes[] =
    "JSON, one object a line: number (from 1), text or file, and then either model, embedding\n"
    "[numbers], of a text tokens, truncated, of an image width, height, and timing_ms {prepare, queue,\n"
    "encode, total}; or error {code, message}.\n"
    "CSV: a line of numbers for each input, without a header.\n"
    "npy: a NumPy array of float32, one row for each input; numpy.load(FILE) reads it.\n"
    "CSV and npy have a row for every input: the first one that fails ends the run.\n"
    "\n"
    "Exit codes: 0 all embedded; 1 some text or image failed; 2 wrong command line; 3 server not\n"
    "reachable; 4 every failure was a deadline; 130 interrupted.\n";

absl::StatusOr<EmbedFormat> ParseFormat(std::string_view name) {
  if (name == "json") return EmbedFormat::kJson;
  if (name == "csv") return EmbedFormat::kCsv;
  if (name == "npy") return EmbedFormat::kNpy;
  return absl::InvalidArgumentError(absl::StrCat("'", Absl(name), "' is none of json, csv and npy"));
}

Flag FormatFlag(EmbedOptions& o) {
  return {"format", "NAME", "json, csv or npy; see below. Default: json.", [&o](std::string_view value) {
            const absl::StatusOr<EmbedFormat> format = ParseFormat(value);
            if (format.ok()) o.format = *format;
            return format.status();
          }};
}

void AddEmbedInputFlags(FlagSet& flags, EmbedOptions& o) {
  flags.BeginGroup("Input and output");
  flags.Add(TextFlag("input", "FILE", "Lines to embed. '-': standard input.",
                     [&o](std::string value) { o.input = std::move(value); }));
  flags.Add(SwitchFlag("images", "The arguments are images: files, directories or '-'.",
                       [&o] { o.images = true; }));
  flags.Add(FormatFlag(o));
  AddOutputFlags(flags, o);
}

void AddVectorFlags(FlagSet& flags, EmbedOptions& o) {
  flags.BeginGroup("Vectors");
  flags.Add(SwitchFlag("normalize", "To length 1.", [&o] { o.normalize = true; }));
  flags.Add(SwitchFlag("no-normalize",
                       "As long as they come. Default of both: of texts as the\nmodel says, "
                       "of images not.",
                       [&o] { o.normalize = false; }));
  flags.Add(IntFlag("dimensions",
                    "Only the first N numbers, of a model that was trained for\nthat. Default: all.",
                    {.min = 1}, [&o](int64_t n) { o.dimensions = static_cast<int>(n); }));
}

void AddSimilarityFlags(FlagSet& flags, EmbedOptions& o) {
  flags.BeginGroup("Similarity");
  flags.Add(SwitchFlag("similarity",
                       "How alike the inputs are instead of their vectors: a table\nof the cosines, 1 for "
                       "the same direction. At most 1000 inputs.",
                       [&o] { o.similarity = true; }));
  flags.Add(SwitchFlag("plot", "The cosines as a heat map in the terminal.", [&o] { o.plot = true; }));
  flags.Add(TextFlag("output-image", "FILE", "The heat map as a picture, .png or .svg.",
                     [&o](std::string value) { o.output_image = std::move(value); }));
}

absl::Status CheckInputs(const EmbedOptions& o) {
  if (!o.input.empty() && !o.args.empty()) {
    return absl::InvalidArgumentError("inputs are given as arguments and with --input: use one of them");
  }
  if (!o.images) return absl::OkStatus();
  if (o.args.empty()) {
    return absl::InvalidArgumentError("--images needs image files: attendant embed --images FILE...");
  }
  if (!o.prompt.empty() || o.dimensions > 0 || o.refuse_truncation) {
    return absl::InvalidArgumentError("--prompt, --dimensions and --refuse-truncation are for texts");
  }
  return absl::OkStatus();
}

absl::Status CheckSimilarity(const EmbedOptions& o) {
  if (o.WantsSimilarity() && o.format.has_value()) {
    return absl::InvalidArgumentError("--format is for vectors: it does not go with --similarity");
  }
  const bool has_image_type =
      absl::EndsWithIgnoreCase(o.output_image, ".png") || absl::EndsWithIgnoreCase(o.output_image, ".svg");
  if (!o.output_image.empty() && !has_image_type) {
    return absl::InvalidArgumentError(
        absl::StrCat("--output-image: '", o.output_image, "' must end in .png or .svg"));
  }
  return absl::OkStatus();
}

}  // namespace

FlagSet MakeEmbedFlags(EmbedOptions& options) {
  FlagSet flags({.name = "embed",
                 .synopsis = "[FLAGS] [TEXT...] | --images FILE...",
                 .summary = kEmbedSummary,
                 .examples = kEmbedExamples,
                 .notes = kEmbedNotes});
  AddEmbedInputFlags(flags, options);
  flags.BeginGroup("Model");
  AddModelFlag(flags, options, "embed_text or embed_image");
  flags.Add(TextFlag("prompt", "NAME",
                     "What the model puts before each text, such as query or\ndocument; "
                     "'attendant models NAME' lists them.",
                     [&options](std::string value) { options.prompt = std::move(value); }));
  AddTruncationFlag(flags, options);
  AddVectorFlags(flags, options);
  AddSimilarityFlags(flags, options);
  AddCallFlags(flags, options);
  return flags;
}

absl::Status CheckEmbedOptions(const EmbedOptions& options) {
  if (absl::Status status = CheckInputs(options); !status.ok()) return status;
  if (absl::Status status = CheckSimilarity(options); !status.ok()) return status;
  const bool goes_to_stdout = options.output.empty() || options.output == "-";
  if (options.format == EmbedFormat::kNpy && goes_to_stdout) {
    return absl::InvalidArgumentError("--format npy needs --output FILE");
  }
  return absl::OkStatus();
}

}  // namespace attendant::client
