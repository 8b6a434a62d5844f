#include "server/model_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/grpc_status.h"
#include "tests/server/scripted_translator.h"

namespace attendant {
namespace {

using testing::HasSubstr;

ServedModel Ready(const std::string& name, int64_t version = 0) {
  ServedModel model;
  model.name = name;
  model.version = version;
  model.state = ModelState::kReady;
  model.engine.translator = std::make_shared<ScriptedTranslator>("en", name == "a" ? "de" : "fr");
  return model;
}

ServedModel InState(ModelState state, const std::string& name, int64_t version, const std::string& why) {
  ServedModel model;
  model.name = name;
  model.version = version;
  model.state = state;
  model.message = why;
  return model;
}

// Models "a" (en-de), and others (en-fr).
class ModelRegistryTest : public testing::Test {
 protected:
  void Load(const std::vector<std::string>& names) {
    for (const std::string& name : names) registry_.Set(Ready(name));
    registry_.SetComplete();
  }
  absl::Status ErrorOf(const ModelQuery& query) { return registry_.Resolve(query).status(); }
  int64_t VersionOf(const std::string& name) {
    const absl::StatusOr<ServedModel> found = registry_.Find(name);
    return found.ok() ? found->version : -1;
  }

  Metrics metrics_;
  ModelRegistry registry_{metrics_};
};

TEST_F(ModelRegistryTest, OnlyModelAnswersWhoNamesNone) {
  Load({"a"});
  EXPECT_EQ(registry_.Resolve({})->name, "a");
  EXPECT_EQ(registry_.Resolve({"", "en", "de"})->name, "a");
  EXPECT_TRUE(absl::IsNotFound(ErrorOf({"", "en", "fr"})));
  EXPECT_TRUE(registry_.IsReady());
}

TEST_F(ModelRegistryTest, LanguagesChooseAmongSeveral) {
  Load({"a", "b"});
  EXPECT_EQ(registry_.Resolve({"", "en", "fr"})->name, "b");
  EXPECT_EQ(registry_.Resolve({"", "EN-us", "de-AT"})->name, "a");
  EXPECT_EQ(registry_.Resolve({"", "en", ""})->name, "a");
  EXPECT_EQ(ReasonOf(ErrorOf({"", "de", "en"})), RejectReason::kUnknownModel);
  EXPECT_TRUE(absl::IsInvalidArgument(ErrorOf({})));
}

TEST_F(ModelRegistryTest, NamedModelMustServeTheLanguages) {
  Load({"a", "b"});
  EXPECT_EQ(registry_.Resolve({"b", "en", "fr"})->name, "b");
  EXPECT_THAT(std::string(ErrorOf({"b", "en", "de"}).message()), HasSubstr("target_language_code: "));
  EXPECT_THAT(std::string(ErrorOf({"b", "de", ""}).message()), HasSubstr("source_language_code: "));
}

TEST_F(ModelRegistryTest, NamesAndCodesAreCheckedFirst) {
  Load({"a"});
  EXPECT_EQ(ReasonOf(ErrorOf({"../a", "", ""})), RejectReason::kModelName);
  EXPECT_TRUE(absl::IsInvalidArgument(ErrorOf({"../a", "", ""})));
  EXPECT_TRUE(absl::IsNotFound(ErrorOf({"zzz", "", ""})));
  EXPECT_EQ(ReasonOf(ErrorOf({"a", "en\n", ""})), RejectReason::kInvalid);
  const std::string longest(35, 'x');
  const std::string too_long(36, 'x');
  EXPECT_TRUE(absl::IsInvalidArgument(ErrorOf({"a", "", too_long})));
  EXPECT_THAT(std::string(ErrorOf({"a", "", longest}).message()), HasSubstr("serves \"de\""));
}

TEST_F(ModelRegistryTest, ModelIsUnavailableWhileItLoadsAndThenSaysWhyItFailed) {
  registry_.Set(Ready("a"));
  registry_.Set(InState(ModelState::kLoading, "c", 0, ""));
  EXPECT_TRUE(absl::IsUnavailable(ErrorOf({"c", "", ""})));
  EXPECT_EQ(ReasonOf(ErrorOf({"c", "", ""})), RejectReason::kNotReady);
  EXPECT_TRUE(absl::IsUnavailable(ErrorOf({"", "fr", "it"})));  // It might yet serve these.
  EXPECT_EQ(registry_.Resolve({"a", "", ""})->name, "a");
  EXPECT_FALSE(registry_.IsReady());

  registry_.Set(InState(ModelState::kFailed, "c", 0, "model.safetensors is truncated"));
  registry_.SetComplete();
  const absl::Status failed = ErrorOf({"c", "", ""});
  EXPECT_TRUE(absl::IsFailedPrecondition(failed));
  EXPECT_THAT(std::string(failed.message()), HasSubstr("model.safetensors is truncated"));
  EXPECT_TRUE(absl::IsNotFound(ErrorOf({"", "fr", "it"})));
  EXPECT_EQ(registry_.Resolve({"a", "", ""})->name, "a");
  EXPECT_TRUE(registry_.IsReady());
  EXPECT_EQ(registry_.List()[1].state, ModelState::kFailed);
}

TEST_F(ModelRegistryTest, NameMeansTheHighestReadyVersion) {
  registry_.Set(Ready("a", 3));
  registry_.Set(Ready("a", 4));
  registry_.Set(InState(ModelState::kFailed, "a", 5, "broken"));
  EXPECT_EQ(VersionOf("a"), 4);
  EXPECT_EQ(VersionOf("a@3"), 3);
  EXPECT_EQ(registry_.Resolve({"a@3", "", ""})->version, 3);
  EXPECT_TRUE(absl::IsFailedPrecondition(ErrorOf({"a@5", "", ""})));
  EXPECT_TRUE(absl::IsNotFound(ErrorOf({"a@6", "", ""})));
  EXPECT_TRUE(absl::IsInvalidArgument(ErrorOf({"a@", "", ""})));
  EXPECT_TRUE(absl::IsInvalidArgument(ErrorOf({"a@../3", "", ""})));
  EXPECT_EQ(registry_.List().size(), 1u);
  EXPECT_EQ(registry_.ListVersions().size(), 3u);
  EXPECT_EQ(QualifiedName(*registry_.Find("a")), "a@4");
  registry_.Remove("a", 4);
  EXPECT_EQ(VersionOf("a"), 3);
}

TEST_F(ModelRegistryTest, LabelsMeanVersions) {
  registry_.Set(Ready("a", 3));
  registry_.SetLabels("a", {{"stable", 3}, {"canary", 4}});
  EXPECT_EQ(VersionOf("a@stable"), 3);
  EXPECT_TRUE(absl::IsNotFound(ErrorOf({"a@canary", "", ""})));  // Not there yet.
  registry_.Set(Ready("a", 4));
  EXPECT_EQ(VersionOf("a@canary"), 4);
  EXPECT_THAT(registry_.Find("a@4")->labels, testing::ElementsAre("canary"));
  registry_.SetLabels("a", {{"stable", 4}});
  EXPECT_EQ(VersionOf("a@stable"), 4);
  EXPECT_TRUE(registry_.Find("a@3")->labels.empty());
}

TEST_F(ModelRegistryTest, UnloadedModelIsNotFoundAndKeepsItsEntry) {
  registry_.Set(InState(ModelState::kUnloaded, "a", 0, "an admin unloaded it"));
  EXPECT_TRUE(absl::IsNotFound(ErrorOf({"a", "", ""})));
  EXPECT_EQ(registry_.List().size(), 1u);
  registry_.RemoveAll("a");
  EXPECT_TRUE(registry_.List().empty());
}

TEST_F(ModelRegistryTest, ModelThatDoesNotEmbedSaysWhy) {
  Load({"a"});
  const absl::Status status = registry_.Resolve("a", Task::kEmbedText).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("model a is not for embed_text: its card does not say"));
  EXPECT_THAT(std::string(registry_.Resolve("a", Task::kLabelTokens).status().message()),
              HasSubstr("ListModels"));
  EXPECT_TRUE(absl::IsNotFound(registry_.Resolve("", Task::kEmbedText).status()));
}

TEST(LanguageFitsTest, ComparesWithoutCaseAndTakesVariants) {
  EXPECT_TRUE(LanguageFits("", "de"));
  EXPECT_TRUE(LanguageFits("de", ""));
  EXPECT_TRUE(LanguageFits("DE", "de"));
  EXPECT_TRUE(LanguageFits("de-AT", "de"));
  EXPECT_FALSE(LanguageFits("de", "de-AT"));
  EXPECT_FALSE(LanguageFits("den", "de"));
}

}  // namespace
}  // namespace attendant
