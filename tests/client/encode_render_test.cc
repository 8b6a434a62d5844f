#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "client/classify_render.h"
#include "client/label_render.h"

namespace attendant::client {
namespace {

void AddLabel(v1::ImageClassification& answer, const std::string& name, int index, float probability) {
  v1::Label& label = *answer.add_labels();
  label.set_name(name);
  label.set_index(index);
  label.set_probability(probability);
}

ImageClasses Cat() {
  ImageClasses result;
  result.source.number = 1;
  result.source.name = "cat.jpg";
  result.model = "vit";
  AddLabel(result.answer, "tabby cat", 1, 0.9F);
  AddLabel(result.answer, "dog", 0, 0.1F);
  result.answer.add_logits(-1.5F);
  result.answer.add_logits(0.75F);
  return result;
}

TEST(RenderClassesTest, LinesPipeWell) {
  EXPECT_EQ(RenderText(Cat(), ClassifyFormat()), "cat.jpg\ttabby cat\t0.900000\ncat.jpg\tdog\t0.100000\n");
  EXPECT_EQ(RenderText(Cat(), {.logits = true}),
            "cat.jpg\ttabby cat\t0.900000\t0.750000\ncat.jpg\tdog\t0.100000\t-1.500000\n");
}

TEST(RenderClassesTest, NamesCannotBreakALine) {
  ImageClasses result = Cat();
  result.source.name = "a\tb\nc\x1b[31m";
  EXPECT_THAT(RenderText(result, ClassifyFormat()),
              ::testing::StartsWith("a\uFFFDb\uFFFDc\uFFFD[31m\ttabby cat\t0.9"));
}

TEST(RenderClassesTest, ATerminalHasThemBelowTheName) {
  EXPECT_EQ(RenderText(Cat(), {.for_terminal = true}), "cat.jpg\n  0.9000  tabby cat\n  0.1000  dog\n");
  TextClasses text;
  text.source = {.number = 2, .text = "a lovely\nday", .input_bytes = 12};
  *text.answer.add_labels() = Cat().answer.labels(1);
  EXPECT_EQ(RenderText(text, {.for_terminal = true}), "2  a lovely\uFFFDday\n  0.1000  dog\n");
  EXPECT_EQ(RenderText(text, ClassifyFormat()), "2\tdog\t0.100000\n");
}

TEST(RenderClassesTest, JsonHasWhatWasAskedFor) {
  ImageClasses result = Cat();
  auto json = nlohmann::json::parse(RenderJson(result));
  EXPECT_EQ(json["labels"][0]["name"], "tabby cat");
  EXPECT_EQ(json["labels"][0]["index"], 1);
  EXPECT_EQ(json["logits"].dump(), "[-1.5,0.75]");
  EXPECT_FALSE(json.contains("attention_map"));
  result.answer.mutable_attention_map()->add_weights(1);
  result.answer.clear_logits();
  json = nlohmann::json::parse(RenderJson(result));
  EXPECT_EQ(json["attention_map"]["weights"].dump(), "[1.0]");
  EXPECT_FALSE(json.contains("logits"));
}

TEST(RenderClassesTest, AFailureIsNoLineAndAnErrorObject) {
  ImageClasses result;
  result.source.name = "\xFF.jpg";
  result.status = absl::InvalidArgumentError("images[3]: no image");
  EXPECT_EQ(RenderText(result, ClassifyFormat()), "");
  const auto json = nlohmann::json::parse(RenderJson(result));
  EXPECT_EQ(json["file"], "\uFFFD.jpg");
  EXPECT_EQ(json["error"]["code"], "INVALID_ARGUMENT");
  EXPECT_EQ(json["error"]["message"], "no image");
}

v1::LabelledSpan Span(const std::string& text, const std::string& label, int begin) {
  v1::LabelledSpan span;
  span.set_text(text);
  span.set_label(label);
  span.set_probability(0.5F);
  span.set_begin_byte(begin);
  span.set_end_byte(begin + static_cast<int>(text.size()));
  return span;
}

TextLabels LabelledSentence() {
  TextLabels result;
  result.source = {.number = 1, .text = "Käthe lives here", .input_bytes = 17};
  *result.answer.add_words() = Span("Käthe", "B-PER", 0);
  *result.answer.add_words() = Span("lives", "O", 7);
  *result.answer.add_words() = Span("here", "O", 13);
  *result.answer.add_entities() = Span("Käthe", "PER", 0);
  return result;
}

TEST(RenderLabelsTest, WordsThenEntities) {
  EXPECT_EQ(RenderText(LabelledSentence(), LabelFormat()),
            "Käthe/B-PER lives/O here/O\n\tPER\tKäthe\t0.5000\n");
}

TEST(RenderLabelsTest, ATerminalHasLabelsBelowWords) {
  EXPECT_EQ(RenderText(LabelledSentence(), {.for_terminal = true}),
            "Käthe  lives  here\n"
            "B-PER  O      O\n"
            "\tPER\tKäthe\t0.5000\n\n");
  // "Käthe  lives" has 12 columns, and all three 18.
  for (const int columns : {11, 12, 17, 18}) {
    const std::string text = RenderText(LabelledSentence(), {.for_terminal = true, .columns = columns});
    const std::string first = text.substr(0, text.find('\n'));
    EXPECT_EQ(first, columns < 12 ? "Käthe" : columns < 18 ? "Käthe  lives" : "Käthe  lives  here");
  }
}

TEST(RenderLabelsTest, AFailureIsAnEmptyLine) {
  TextLabels result;
  result.status = absl::InternalError("broken");
  EXPECT_EQ(RenderText(result, LabelFormat()), "\n");
  EXPECT_EQ(nlohmann::json::parse(RenderJson(result))["error"]["code"], "INTERNAL");
}

TEST(RenderLabelsTest, JsonHasPlaces) {
  const auto json = nlohmann::json::parse(RenderJson(LabelledSentence()));
  EXPECT_EQ(json["words"][1]["begin_byte"], 7);
  EXPECT_EQ(json["words"][1]["end_byte"], 12);
  EXPECT_EQ(json["entities"][0]["label"], "PER");
}

}  // namespace
}  // namespace attendant::client
