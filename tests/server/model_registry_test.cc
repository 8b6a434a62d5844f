#include "server/model_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
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
                             metrics_, log_, Clock::Real(), [this] { OnChange(); }});
    awaited_ = names.size();
    for (const std::string& name : names) awaited_ -= name == "c" ? 1 : 0;
    if (awaited_ == 0) settled_.set_value();
    registry_->StartLoading();
    settled_.get_future().wait();
  }
  void TearDown() override {
    if (!is_open_) gate_.set_value();
  }
  absl::StatusOr<std::unique_ptr<Translator>> LoadOne(const std::string& name) {
    if (name == "c") {
      gate_.get_future().wait();
      return absl::DataLossError("model.safetensors is truncated");
    }
    return std::make_unique<ScriptedTranslator>("en", name == "a" ? "de" : "fr");
  }
  void OnChange() {
    if (++changes_ == awaited_) settled_.set_value();
    if (is_open_) failed_.set_value();
  }
  absl::Status ErrorOf(const ModelQuery& query) { return registry_->Resolve(query).status(); }

  Metrics metrics_;
  Logger log_{[] {
    config::Logging quiet;
    quiet.set_level(config::Logging::ERROR);
    return quiet;
  }()};
  std::promise<void> gate_, settled_, failed_;
  std::atomic<bool> is_open_ = false;
  size_t changes_ = 0;
  size_t awaited_ = 0;
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

  is_open_ = true;
  gate_.set_value();
  failed_.get_future().wait();
  // The loader has told its reason; the registry takes it in next.
  while (absl::IsUnavailable(ErrorOf({"c", "", ""}))) std::this_thread::yield();
  const absl::Status failed = ErrorOf({"c", "", ""});
  EXPECT_TRUE(absl::IsFailedPrecondition(failed));
  EXPECT_THAT(std::string(failed.message()), HasSubstr("model.safetensors is truncated"));
  EXPECT_TRUE(absl::IsNotFound(ErrorOf({"", "fr", "it"})));
  EXPECT_EQ(registry_->Resolve({"a", "", ""})->name, "a");
  EXPECT_TRUE(registry_->IsReady());
  EXPECT_EQ(registry_->List()[1].state, ModelState::kFailed);
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
