#include "client/translate_options.h"

namespace attendant::client {
namespace {

using Decoding = v1::TranslationOptions;

constexpr char kTranslateSummary[] =
    "Translates texts: each argument, or each line of standard input or of a file.\n"
    "The order is kept and each text gives one line; empty lines stay empty.";

constexpr char kTranslateExamples[] =
    "  attendant translate \"Good morning.\" \"How are you?\"\n"
    "  attendant translate --input book.en --output book.de\n"
    "  attendant translate --whole --input letter.txt\n"
    "  attendant translate --n-best 3 --scores \"The house is small.\"\n"
    "  attendant translate --alignment --output-image map.png \"The house is small.\"\n"
    "  echo \"Good night.\" | attendant translate --json\n";

constexpr char kTranslateNotes[] =
    "With --n-best or --scores a line is TEXT.SENTENCE, RANK, SCORE, HYPOTHESIS, separated by tabs.\n"
    "\n"
    "JSON, one object a line: number (from 1), source, and then either model, translation,\n"
    "sentences [{source, source_tokens?, hypotheses [{text, score, finish_reason, token_ids, tokens?,\n"
    "token_scores?, alignment?}]}], input_tokens, output_tokens, halved_sentences, timing_ms {tokenize,\n"
    "queue, encode, first_token, total}; or error {code, message}. Those with ? come when asked for.\n"
    "\n"
    "Exit codes: 0 all translated; 1 some text failed; 2 wrong command line; 3 server not reachable;\n"
    "4 every failure was a deadline; 130 interrupted.\n";

void AddTranslateInputFlags(FlagSet& flags, TranslateOptions& o) {
  flags.BeginGroup("Input and output");
  flags.Add(TextFlag("input", "FILE", "Lines to translate. '-': standard input.",
                     [&o](std::string value) { o.input = std::move(value); }));
  flags.Add(TextFlag("output", "FILE",
                     "Where to write. The file appears when all is done; after\nan interrupt what is done "
                     "stays as FILE.partial.",
                     [&o](std::string value) { o.output = std::move(value); }));
  flags.Add(SwitchFlag("whole", "The input is one text, not one text a line.", [&o] { o.whole = true; }));
  flags.Add(SwitchFlag("json", "One JSON object for each text; see below.", [&o] { o.json = true; }));
  flags.Add(SwitchFlag("stream",
                       "Show text as it grows, one text after the other. With\n--beam 1 unless --beam is "
                       "given: beams show whole sentences.",
                       [&o] { o.stream = true; }));
  flags.Add(
      SwitchFlag("scores", "Log-probability of each sentence and of each token.", [&o] { o.scores = true; }));
  flags.Add(
      SwitchFlag("alignment", "Heat map of source against target tokens.", [&o] { o.alignment = true; }));
  flags.Add(TextFlag("output-image", "FILE",
                     "The heat map as a picture, .png or .svg; of the first 64\nsentences.",
                     [&o](std::string value) { o.output_image = std::move(value); }));
  flags.Add(SwitchFlag("quiet", "No progress and no warnings.", [&o] { o.quiet = true; }));
}

void AddModelFlags(FlagSet& flags, TranslateOptions& o) {
  v1::TranslateRequest& r = o.request;
  flags.BeginGroup("Model");
  flags.Add(TextFlag("model", "NAME", "One of 'attendant models'. Default: by languages, or the only one.",
                     [&r](std::string value) { r.set_model(std::move(value)); }));
  flags.Add(TextFlag("from", "CODE", "Language of the texts, such as en. Default: the model's.",
                     [&r](std::string value) { r.set_source_language_code(std::move(value)); }));
  flags.Add(TextFlag("to", "CODE", "Language to translate into, such as de. Default: the model's.",
                     [&r](std::string value) { r.set_target_language_code(std::move(value)); }));
}

void AddSearchFlags(FlagSet& flags, Decoding& d) {
  flags.BeginGroup("Search (defaults: the model's)");
  flags.Add(IntFlag("beam", "Hypotheses kept at each step. 1: greedy.", {.min = 1},
                    [&d](int64_t n) { d.set_beam_size(static_cast<int32_t>(n)); }));
  flags.Add(IntFlag("n-best",
                    "Hypotheses shown for each sentence. --beam is at least\nmax(N, 4) unless it is given.",
                    {.min = 1}, [&d](int64_t n) { d.set_num_hypotheses(static_cast<int32_t>(n)); }));
  flags.Add(
      NumberFlag("patience", "Stop at beam * X finished hypotheses.", [&d](float x) { d.set_patience(x); }));
  flags.Add(NumberFlag("length-penalty", "Above 1 favours long translations.",
                       [&d](float x) { d.set_length_penalty(x); }));
  flags.Add(NumberFlag("coverage-penalty", "Favours translations that attend to all of the source.",
                       [&d](float x) { d.set_coverage_penalty(x); }));
  flags.Add(IntFlag("min-length", "Fewest tokens of a sentence's translation.", {},
                    [&d](int64_t n) { d.set_min_length(static_cast<int32_t>(n)); }));
  flags.Add(IntFlag("max-length", "Most tokens of a sentence's translation.", {.min = 1},
                    [&d](int64_t n) { d.set_max_length(static_cast<int32_t>(n)); }));
}

void AddSamplingFlags(FlagSet& flags, Decoding& d) {
  flags.BeginGroup("Sampling");
  flags.Add(SwitchFlag("sample", "Draw the words at random instead of searching for the best.",
                       [&d] { d.set_sample(true); }));
  flags.Add(NumberFlag("temperature", "Below 1 bolder, above 1 wilder. Needs --sample.",
                       [&d](float x) { d.set_temperature(x); }));
  flags.Add(IntFlag("top-k", "Only among the N most likely tokens. 0: all.", {},
                    [&d](int64_t n) { d.set_top_k(static_cast<int32_t>(n)); }));
  flags.Add(NumberFlag("top-p", "Only among the most likely tokens that make up X in all.",
                       [&d](float x) { d.set_top_p(x); }));
  flags.Add(IntFlag("seed", "The same seed gives the same translation.",
                    {.max = std::numeric_limits<int64_t>::max()},
                    [&d](int64_t n) { d.set_seed(static_cast<uint64_t>(n)); }));
}

void AddConstraintFlags(FlagSet& flags, Decoding& d) {
  flags.BeginGroup("Constraints");
  flags.Add(TextFlag("prefix", "TEXT", "The translation begins with this.",
                     [&d](std::string value) { d.set_target_prefix(std::move(value)); }));
  flags.Add(TextFlag("suppress", "TEXT", "Never produce this; may be repeated.",
                     [&d](std::string value) { d.add_suppress_sequences(std::move(value)); }));
  flags.Add(NumberFlag("repetition-penalty", "Above 1 makes tokens that are already there less likely.",
                       [&d](float x) { d.set_repetition_penalty(x); }));
  flags.Add(IntFlag("no-repeat-ngram", "No N tokens come twice in a row of a sentence. 0: off.", {},
                    [&d](int64_t n) { d.set_no_repeat_ngram_size(static_cast<int32_t>(n)); }));
  flags.Add(IntFlag("repetition-guard", "End a translation that repeats one cycle for N tokens. 0: off.", {},
                    [&d](int64_t n) { d.set_repetition_guard_tokens(static_cast<int32_t>(n)); }));
  flags.Add(TextFlag("end-token", "PIECE", "This piece of the vocabulary ends the translation.",
                     [&d](std::string value) { d.set_end_token(std::move(value)); }));
  flags.Add(
      SwitchFlag("disable-unknowns", "Never produce the unknown token.", [&d] { d.set_disable_unk(true); }));
  flags.Add(SwitchFlag("replace-unknowns", "Put the source word in the place of an unknown token.",
                       [&d] { d.set_replace_unknowns(true); }));
  flags.Add(SwitchFlag("no-split", "Translate a line in one go, not sentence by sentence.",
                       [&d] { d.set_split(Decoding::SPLIT_NONE); }));
}

void AddTransportFlags(FlagSet& flags, TranslateOptions& o) {
  flags.Add(DurationFlag("deadline", "Longest wait for one call, 1ms to 24h. Default 60s.", {}, o.deadline));
  flags.Add(IntFlag("concurrency", "Calls at a time, 1 to 1024. Default 64.", {.min = 1, .max = 1024},
                    [&o](int64_t n) { o.concurrency = static_cast<int>(n); }));
  flags.Add(IntFlag("batch", "Lines in one call, 1 to 256. Default 8.", {.min = 1, .max = 256},
                    [&o](int64_t n) { o.batch = static_cast<int>(n); }));
  flags.Add(IntFlag("retries", "How often a call is made again when the server is full.\nDefault 10.",
                    {.max = 1000}, [&o](int64_t n) { o.retries = static_cast<int>(n); }));
  flags.Add(IntFlag("priority", "-10 to 10: higher goes first when requests wait. Default 0.",
                    {.min = -10, .max = 10},
                    [&o](int64_t n) { o.request.set_priority(static_cast<int32_t>(n)); }));
}

}  // namespace

FlagSet MakeTranslateFlags(TranslateOptions& options) {
  FlagSet flags({.name = "translate",
                 .synopsis = "[FLAGS] [TEXT...]",
                 .summary = kTranslateSummary,
                 .examples = kTranslateExamples,
                 .notes = kTranslateNotes});
  Decoding& decoding = *options.request.mutable_options();
  AddTranslateInputFlags(flags, options);
  AddModelFlags(flags, options);
  AddSearchFlags(flags, decoding);
  AddSamplingFlags(flags, decoding);
  AddConstraintFlags(flags, decoding);
  AddConnectionFlags(flags, options.connection);
  AddTransportFlags(flags, options);
  return flags;
}

}  // namespace attendant::client
