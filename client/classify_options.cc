#include "client/classify_options.h"

#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace attendant::client {
namespace {

namespace fs = std::filesystem;

constexpr char kClassifySummary[] =
    "Says what is to be seen on images: files, directories (the .jpg, .jpeg, .png and .webp files in\n"
    "them and below), or '-' for one image on standard input. Or, with --text or --texts, what texts\n"
    "are: their sentiment, their topic. The order is kept.";

constexpr char kClassifyExamples[] =
    "  attendant classify cat.jpg\n"
    "  attendant classify --top-k 1 photos/ | sort -t \"$(printf '\\t')\" -k 2\n"
    "  attendant classify --attention-map where.png cat.jpg\n"
    "  attendant classify --attention-map maps/ *.jpg\n"
    "  curl -s https://example.org/cat.jpg | attendant classify --json -\n"
    "  attendant classify --text \"What a lovely day.\" --text \"I want my money back.\"\n"
    "  attendant classify --texts reviews.txt --top-k 1\n";

constexpr char kClassifyNotes[] =
    "A line is FILE, LABEL, PROBABILITY, and with --logits LOGIT, separated by tabs, likeliest label\n"
    "first; for texts the number of the text (from 1) is in the place of the file. On a terminal the\n"
    "lines of an image or text stand below its name instead.\n"
    "\n"
    "The attention map shows how much each part of an image counted for the answer (attention\n"
    "rollout), from dark violet to pale yellow; what the model's processor cropped away is grey.\n"
    "\n"
    "JSON, one object a line: number (from 1), file or text, and then either model, labels [{name,\n"
    "index, probability}], logits?, of an image width, height, attention_map? {height, width, weights,\n"
    "left, top, right, bottom}, of a text tokens, truncated, and timing_ms {prepare, queue, encode,\n"
    "total}; or error {code, message}. Those with ? come when asked for.\n"
    "\n"
    "Exit codes: 0 all classified; 1 some image or text failed; 2 wrong command line; 3 server not\n"
    "reachable; 4 every failure was a deadline; 130 interrupted.\n";

void AddClassifyFlags(FlagSet& flags, ClassifyOptions& o) {
  flags.BeginGroup("Input");
  flags.Add(TextFlag("text", "TEXT", "Classify this text; may be repeated.",
                     [&o](std::string value) { o.texts.push_back(std::move(value)); }));
  flags.Add(TextFlag("texts", "FILE", "Classify each line of it. '-': standard input.",
                     [&o](std::string value) { o.texts_file = std::move(value); }));
  flags.BeginGroup("Output");
  flags.Add(IntFlag("top-k", "So many labels of each, likeliest first. Default 5.",
                    {.min = 1, .max = 1'000'000}, [&o](int64_t n) { o.top_k = static_cast<int>(n); }));
  flags.Add(SwitchFlag("logits", "The logits, too: what the model gave before it made\nprobabilities of it.",
                       [&o] { o.logits = true; }));
  flags.Add(TextFlag("attention-map", "PATH",
                     "The image with where the model looked laid over it, as a\nPNG. Of one image a file; of "
                     "several a directory.",
                     [&o](std::string value) { o.attention_map = std::move(value); }));
  flags.Add(
      SwitchFlag("json", "One JSON object for each image or text; see below.", [&o] { o.json = true; }));
  AddOutputFlags(flags, o);
}

}  // namespace

FlagSet MakeClassifyFlags(ClassifyOptions& options) {
  FlagSet flags({.name = "classify",
                 .synopsis = "[FLAGS] IMAGE... | --text TEXT | --texts FILE",
                 .summary = kClassifySummary,
                 .examples = kClassifyExamples,
                 .notes = kClassifyNotes});
  AddClassifyFlags(flags, options);
  flags.BeginGroup("Model");
  AddModelFlag(flags, options, "classify_image or classify_text");
  AddTruncationFlag(flags, options);
  AddCallFlags(flags, options);
  return flags;
}

absl::Status CheckClassifyOptions(const ClassifyOptions& o) {
  if (o.WantsTexts() && !o.args.empty()) {
    return absl::InvalidArgumentError(
        "images and texts in one run: arguments are images, --text and --texts are texts; use one of them");
  }
  if (!o.texts.empty() && !o.texts_file.empty()) {
    return absl::InvalidArgumentError("texts are given with --text and with --texts: use one of them");
  }
  if (!o.WantsTexts() && o.args.empty()) {
    return absl::InvalidArgumentError(
        "nothing to classify: give images, '-' for one on standard input, --text TEXT or --texts FILE");
  }
  if (o.WantsTexts() && !o.attention_map.empty()) {
    return absl::InvalidArgumentError("--attention-map is for images");
  }
  if (!o.WantsTexts() && o.refuse_truncation) {
    return absl::InvalidArgumentError("--refuse-truncation is for texts");
  }
  return absl::OkStatus();
}

std::vector<std::string> OverlayPaths(const std::string& output, const std::vector<std::string>& images) {
  std::error_code unknown;
  const bool ends_as_directory = absl::EndsWith(output, "/");
  if (images.size() == 1 && !ends_as_directory && !fs::is_directory(output, unknown)) return {output};
  std::set<std::string> taken;
  std::vector<std::string> paths;
  for (const std::string& image : images) {
    const std::string stem = image == "-" ? "stdin" : fs::path(image).stem().string();
    std::string name = stem + ".png";
    for (int i = 2; !taken.insert(name).second; ++i) name = absl::StrCat(stem, "-", i, ".png");
    paths.push_back((fs::path(output) / name).string());
  }
  return paths;
}

}  // namespace attendant::client
