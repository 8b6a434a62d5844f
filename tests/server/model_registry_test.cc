#include "server/model_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <string>
#include <thread>

#include "server/grpc_status.h"
#include "tests/server/scripted_translator.h"

namespace attendant {
namespace {

using testing::HasSubstr;

// Models "a" (en-de), "b" (en-fr), "c" (loads when `gate` opens, then fails).
class ModelRegistryTest : public testing::Test {
 protected:
  void Load(const std::vector<std::string>& names) {
    config::ServerConfig config;
    for (const std::string& name : names) config.add_model()->set_name(name);
    registry_ = std::make_unique<ModelRegistry>(
        config,
        ModelRegistry::Parts{[this](const auto& model, SchedulerObserver&) { return LoadOne(model.name()); },
                             metrics_,
                             log_,
                             Clock::Real(),
                             {}});
    registry_->StartLoading();
    for (const std::string& name : names) {
      if (name != "c") WaitUntilLoaded(name);
    }
  }
  void WaitUntilLoaded(const std::string& name) {
    const auto is_loading = [&] {
      for (const ServedModel& model : registry_->List()) {
        if (model.name == name) return model.state == ModelState::kLoading;
      }
      return false;
    };
    while (is_loading()) std::this_thread::yield();
  }
  void OpenGate() {
    is_open_ = true;
    gate_.set_value();
  }
  void TearDown() override {
    if (!is_open_) OpenGate();
  }
  absl::StatusOr<EngineModel> LoadOne(const std::string& name) {
    if (name == "c") {
      gate_.get_future().wait();
      return absl::DataLossError("model.safetensors is truncated");
    }
    EngineModel model;
    model.translator = std::make_shared<ScriptedTranslator>("en", name == "a" ? "de" : "fr");
    return model;
  }
  absl::Status ErrorOf(const ModelQuery& query) { return registry_->Resolve(query).status(); }

  Metrics metrics_;
  Logger log_{[] {
    config::Logging quiet;
    quiet.set_level(config::Logging::ERROR);
    return quiet;
  }()};
  std::promise<void> gate_;
  bool is_open_ = false;
  std::unique_ptr<ModelRegistry> registry_;
};

TEST_F(ModelRegistryTest, OnlyModelAnswersWhoNamesNone) {
  Load({"a"});
  EXPECT_EQ(registry_->Resolve({})->name, "a");
  EXPECT_EQ(registry_->Resolve({"", "en", "de"})->name, "a");
  EXPECT_TRUE(absl::IsNotFound(ErrorOf({"", "en", "fr"})));
  EXPECT_TRUE(registry_->IsReady());
}

TEST_F(ModelRegistryTest, LanguagesChooseAmongSeveral) {
  Load({"a", "b"});
  EXPECT_EQ(registry_->Resolve({"", "en", "fr"})->name, "b");
  EXPECT_EQ(registry_->Resolve({"", "EN-us", "de-AT"})->name, "a");
  EXPECT_EQ(registry_->Resolve({"", "en", ""})->name, "a");
  EXPECT_EQ(ReasonOf(ErrorOf({"", "de", "en"})), RejectReason::kUnknownModel);
  EXPECT_TRUE(absl::IsInvalidArgument(ErrorOf({})));
}

TEST_F(ModelRegistryTest, NamedModelMustServeTheLanguages) {
  Load({"a", "b"});
  EXPECT_EQ(registry_->Resolve({"b", "en", "fr"})->name, "b");
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
  Load({"a", "c"});
  EXPECT_TRUE(absl::IsUnavailable(ErrorOf({"c", "", ""})));
  EXPECT_EQ(ReasonOf(ErrorOf({"c", "", ""})), RejectReason::kNotReady);
  EXPECT_TRUE(absl::IsUnavailable(ErrorOf({"", "fr", "it"})));  // It might yet serve these.
  EXPECT_EQ(registry_->Resolve({"a", "", ""})->name, "a");
  EXPECT_FALSE(registry_->IsReady());

  OpenGate();
  WaitUntilLoaded("c");
  const absl::Status failed = ErrorOf({"c", "", ""});
  EXPECT_TRUE(absl::IsFailedPrecondition(failed));
  EXPECT_THAT(std::string(failed.message()), HasSubstr("model.safetensors is truncated"));
  EXPECT_TRUE(absl::IsNotFound(ErrorOf({"", "fr", "it"})));
  EXPECT_EQ(registry_->Resolve({"a", "", ""})->name, "a");
  EXPECT_TRUE(registry_->IsReady());
  EXPECT_EQ(registry_->List()[1].state, ModelState::kFailed);
}

TEST_F(ModelRegistryTest, ModelThatDoesNotEmbedSaysWhy) {
  Load({"a"});
  const absl::Status status = registry_->Resolve("a", Task::kEmbedText).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("model a is not for embed_text: its card does not say"));
  EXPECT_THAT(std::string(registry_->Resolve("a", Task::kLabelTokens).status().message()),
              HasSubstr("ListModels"));
  EXPECT_TRUE(absl::IsNotFound(registry_->Resolve("", Task::kEmbedText).status()));
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
