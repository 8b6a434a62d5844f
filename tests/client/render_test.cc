#include "client/render.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "client/translate_options.h"

namespace attendant::client {
namespace {

using ::testing::HasSubstr;

TextResult Result() {
  TextResult result;
  result.source = {.number = 7, .text = "Good day. Yes.", .input_bytes = 15};
  result.model = "en-de";
  v1::Translation& translation = result.translation;
  translation.set_translated_text("Guten Tag. Ja.");
  translation.set_output_tokens(4);
  translation.mutable_timing()->mutable_total()->set_nanos(1'500'000);
  v1::SentenceTranslation& first = *translation.add_sentences();
  first.set_source_text("Good day.");
  for (const char* text : {"Guten Tag.", "Schönen Tag."}) {
    v1::Hypothesis& hypothesis = *first.add_hypotheses();
    hypothesis.set_text(text);
    hypothesis.set_score(-0.1F);
    hypothesis.set_finish_reason(v1::FINISH_REASON_END_TOKEN);
    hypothesis.add_tokens("Guten");
    hypothesis.add_token_scores(-0.25F);
    hypothesis.add_token_scores(-0.5F);
  }
  v1::SentenceTranslation& second = *translation.add_sentences();
  second.set_source_text("Yes.");
  second.add_hypotheses()->set_text("Ja.");
  return result;
}

TEST(RenderTextTest, PlainIsTheTranslation) {
  EXPECT_EQ(RenderText(Result(), {}), "Guten Tag. Ja.\n");
  TextResult whole = Result();
  whole.translation.set_translated_text("Eins.\n\nZwei.\n");
  EXPECT_EQ(RenderText(whole, {}), "Eins.\n\nZwei.\n");
}

TEST(RenderTextTest, EmptyAndFailedTextsAreEmptyLines) {
  TextResult empty;
  EXPECT_EQ(RenderText(empty, {}), "\n");
  EXPECT_EQ(RenderText(empty, {.scores = true, .n_best = true, .alignment = true}), "\n");
  empty.status = absl::InternalError("x");
  EXPECT_EQ(RenderText(empty, {.scores = true}), "\n");
}

TEST(RenderTextTest, ListsHypothesesAndScores) {
  EXPECT_EQ(RenderText(Result(), {.n_best = true}),
            "7.1\t1\t-0.1000\tGuten Tag.\n7.1\t2\t-0.1000\tSchönen Tag.\n7.2\t1\t0.0000\tJa.\n");
  EXPECT_THAT(RenderText(Result(), {.scores = true}), HasSubstr("\t\t\tGuten -0.2500\t</s> -0.5000\n"));
}

TEST(RenderJsonTest, IsOneLineWithTheDocumentedFields) {
  const std::string line = RenderJson(Result());
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["number"], 7);
  EXPECT_EQ(json["translation"], "Guten Tag. Ja.");
  EXPECT_EQ(json["model"], "en-de");
  EXPECT_EQ(json["sentences"][0]["hypotheses"][1]["text"], "Schönen Tag.");
  EXPECT_EQ(json["sentences"][0]["hypotheses"][0]["finish_reason"], "end_token");
  EXPECT_EQ(json["timing_ms"]["total"], 1.5);
  EXPECT_THAT(line, HasSubstr("\"score\":-0.1,"));  // As short as a float is exact.
}

TEST(RenderJsonTest, AFailureHasCodeAndMessage) {
  TextResult result;
  result.source = {.number = 1, .text = "a\"b", .input_bytes = 3};
  result.status = absl::DeadlineExceededError("late");
  const auto json = nlohmann::json::parse(RenderJson(result));
  EXPECT_EQ(json["error"]["code"], "DEADLINE_EXCEEDED");
  EXPECT_EQ(json["source"], "a\"b");
  EXPECT_FALSE(json.contains("translation"));
}

absl::StatusOr<TranslateOptions> Parse(const std::vector<std::string>& args) {
  TranslateOptions options;
  const absl::StatusOr<ParsedArgs> parsed = MakeTranslateFlags(options).Parse(args);
  if (!parsed.ok()) return parsed.status();
  options.texts = parsed->positional;
  const absl::Status status = CompleteOptions(options);
  if (!status.ok()) return status;
  return options;
}

TEST(TranslateOptionsTest, FlagsFillTheRequest) {
  const auto options =
      Parse({"--beam", "5", "--length-penalty", "0.5", "--model", "m", "--from=en", "--to", "de",
             "--no-split", "--suppress", "a", "--suppress", "b", "--deadline", "2s", "text"});
  ASSERT_TRUE(options.ok()) << options.status();
  const v1::TranslationOptions& decoding = options->request.options();
  EXPECT_EQ(decoding.beam_size(), 5);
  EXPECT_EQ(decoding.length_penalty(), 0.5F);
  EXPECT_EQ(decoding.split(), v1::TranslationOptions::SPLIT_NONE);
  EXPECT_EQ(decoding.suppress_sequences_size(), 2);
  EXPECT_FALSE(decoding.has_num_hypotheses());
  EXPECT_EQ(options->request.model(), "m");
  EXPECT_EQ(options->request.target_language_code(), "de");
  EXPECT_EQ(options->deadline, absl::Seconds(2));
}

TEST(TranslateOptionsTest, ABeamThatIsNotGivenFollowsFromTheRest) {
  EXPECT_FALSE(Parse({"a"})->request.options().has_beam_size());
  EXPECT_EQ(Parse({"--n-best", "2", "a"})->request.options().beam_size(), 4);
  EXPECT_EQ(Parse({"--n-best", "9", "a"})->request.options().beam_size(), 9);
  EXPECT_EQ(Parse({"--n-best", "2", "--beam", "3", "a"})->request.options().beam_size(), 3);
  EXPECT_EQ(Parse({"--sample", "a"})->request.options().beam_size(), 1);
  EXPECT_EQ(Parse({"--stream", "a"})->request.options().beam_size(), 1);
}

TEST(TranslateOptionsTest, RefusesWhatDoesNotGoTogether) {
  EXPECT_FALSE(Parse({"--input", "f", "a"}).ok());
  EXPECT_FALSE(Parse({"--whole", "a"}).ok());
  EXPECT_FALSE(Parse({"--stream", "--json", "a"}).ok());
  EXPECT_FALSE(Parse({"--seed", "1", "a"}).ok());
  EXPECT_TRUE(Parse({"--seed", "1", "--sample", "a"}).ok());
  EXPECT_FALSE(Parse({"--output-image", "x.gif", "a"}).ok());
  EXPECT_TRUE(Parse({"--output-image", "x.PNG", "a"})->request.options().return_alignment());
}

}  // namespace
}  // namespace attendant::client
