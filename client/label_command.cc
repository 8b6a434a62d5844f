#include <optional>
#include <utility>
#include <vector>

#include "client/commands.h"
#include "client/encode_run.h"
#include "client/label_render.h"
#include "client/terminal.h"

namespace attendant::client {
namespace {

struct LabelOptions : EncodeOptions {
  std::string input;  // "": the arguments, or standard input.
};

constexpr char kLabelSummary[] =
    "Says what each word of a text is: its part of speech, or the entity that it belongs to. The texts\n"
    "are the arguments, or the lines of standard input or of a file. The order is kept.";

constexpr char kLabelExamples[] =
    "  attendant label \"Angela Merkel lives in Berlin.\"\n"
    "  attendant label --input news.txt --output news.labels\n"
    "  echo \"Angela Merkel lives in Berlin.\" | attendant label --json | jq -c '.entities[]'\n";

constexpr char kLabelNotes[] =
    "Each text is a line of WORD/LABEL, and below it, where the model's labels begin with \"B-\" and\n"
    "\"I-\", a line for each entity: a tab, and LABEL, ENTITY, PROBABILITY, separated by tabs. On a\n"
    "terminal the labels stand below their words instead.\n"
    "\n"
    "JSON, one object a line: number (from 1), text, and then either model, words [{text, label,\n"
    "probability, begin_byte, end_byte}], entities [the same], tokens, truncated, timing_ms {prepare,\n"
    "queue, encode, total}; or error {code, message}. The bytes are those of text in UTF-8.\n"
    "\n"
    "Exit codes: 0 all labelled; 1 some text failed; 2 wrong command line; 3 server not reachable;\n"
    "4 every failure was a deadline; 130 interrupted.\n";

FlagSet MakeLabelFlags(LabelOptions& options) {
  FlagSet flags({.name = "label",
                 .synopsis = "[FLAGS] [TEXT...]",
                 .summary = kLabelSummary,
                 .examples = kLabelExamples,
                 .notes = kLabelNotes});
  flags.BeginGroup("Input and output");
  flags.Add(TextFlag("input", "FILE", "Lines to label. '-': standard input.",
                     [&options](std::string value) { options.input = std::move(value); }));
  flags.Add(
      SwitchFlag("json", "One JSON object for each text; see below.", [&options] { options.json = true; }));
  AddOutputFlags(flags, options);
  flags.BeginGroup("Model");
  AddModelFlag(flags, options, "label_tokens");
  AddTruncationFlag(flags, options);
  AddCallFlags(flags, options);
  return flags;
}

ExitCode Label(LabelOptions& options) {
  EncodeRun run(options, options.args.empty() ? "line" : "text", "texts");
  auto source = run.OpenTexts(options.input);
  if (!source.ok()) return UsageError(source.status(), "label");
  if (const absl::Status status = run.OpenOutput(); !status.ok()) return UsageError(status, "label");
  const int fd = run.output().fd();
  const LabelFormat format{.for_terminal = IsTerminal(fd), .columns = TerminalColumns(fd)};
  v1::LabelTokensRequest request;
  FillRequest(options, request);
  return run.Conclude(
      run.Send<LabelTokensMethod>(std::move(request), **source, [&](const TextLabels& result) {
        return run.Write(options.json ? RenderJson(result) : RenderText(result, format));
      }));
}

}  // namespace

ExitCode RunLabel(const Args& args) {
  LabelOptions options;
  ExitCode exit_code = ExitCode::kOk;
  std::optional<std::vector<std::string>> rest = ParseOrExplain(MakeLabelFlags(options), args, exit_code);
  if (!rest.has_value()) return exit_code;
  options.args = *std::move(rest);
  absl::Status status;
  if (!options.input.empty() && !options.args.empty()) {
    status = absl::InvalidArgumentError("texts are given as arguments and with --input: use one of them");
  }
  if (status.ok()) status = NormalizeServer(options.connection.server).status();
  if (!status.ok()) return UsageError(status, "label");
  return Label(options);
}

}  // namespace attendant::client
