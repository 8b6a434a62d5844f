#include "client/flags.h"

#include <gmock/gmock.h>

#include "client/suggest.h"

namespace attendant::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FlagSetTest : public ::testing::Test {
 protected:
  FlagSetTest()
      : flags_(
            {.name = "sing", .synopsis = "[SONG]", .summary = "Sings.", .examples = "  x\n", .notes = ""}) {
    flags_.BeginGroup("Voice");
    flags_.Add(SwitchFlag("loud", "Louder.", [this] { loud_ = true; }));
    flags_.Add(IntFlag("verses", "How many.", {.min = 1, .max = 9}, [this](int64_t n) { verses_ = n; }));
    flags_.Add(NumberFlag("pitch", "How high.", [this](float x) { pitch_ = x; }));
    flags_.Add(TextFlag("title", "TEXT", "What.", [this](std::string value) { title_ = std::move(value); }));
    flags_.Add(DurationFlag("pause", "How long.", {}, pause_));
  }

  std::string ErrorOf(const std::vector<std::string>& args) {
    return std::string(flags_.Parse(args).status().message());
  }

  FlagSet flags_;
  bool loud_ = false;
  int64_t verses_ = 0;
  float pitch_ = 0;
  std::string title_;
  absl::Duration pause_;
};

TEST_F(FlagSetTest, ReadsBothFormsAndLeavesTexts) {
  const auto parsed = flags_.Parse({"a", "--verses", "3", "--title=b=c", "--loud", "--pitch", "-1.5", "d"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->positional, ElementsAre("a", "d"));
  EXPECT_TRUE(loud_);
  EXPECT_EQ(verses_, 3);
  EXPECT_EQ(pitch_, -1.5F);
  EXPECT_EQ(title_, "b=c");
}

TEST_F(FlagSetTest, AfterTwoDashesAllIsText) {
  const auto parsed = flags_.Parse({"--loud", "--", "--verses", "-x"});
  ASSERT_TRUE(parsed.ok());
  EXPECT_THAT(parsed->positional, ElementsAre("--verses", "-x"));
}

TEST_F(FlagSetTest, EmptyTextAndSingleDashAreTexts) {
  EXPECT_THAT(flags_.Parse({"", "-"})->positional, ElementsAre("", "-"));
}

TEST_F(FlagSetTest, UnknownFlagNamesTheOneThatWasMeant) {
  EXPECT_THAT(ErrorOf({"--verse", "1"}), HasSubstr("did you mean --verses?"));
  EXPECT_THAT(ErrorOf({"--lodu"}), HasSubstr("did you mean --loud?"));
  EXPECT_THAT(ErrorOf({"--xyzzyplugh"}), HasSubstr("attendant sing --help"));
  EXPECT_THAT(ErrorOf({"-5 degrees"}), HasSubstr("put -- before"));
  EXPECT_FALSE(flags_.Parse({"---"}).ok());
  EXPECT_FALSE(flags_.Parse({"--=3"}).ok());
}

TEST_F(FlagSetTest, ValueErrorsNameTheFlag) {
  EXPECT_THAT(ErrorOf({"--verses"}), HasSubstr("--verses needs a value"));
  EXPECT_THAT(ErrorOf({"--loud=1"}), HasSubstr("--loud takes no value"));
  EXPECT_THAT(ErrorOf({"--pitch", "nan"}), HasSubstr("--pitch"));
  EXPECT_THAT(ErrorOf({"--pause", "5"}), HasSubstr("--pause"));
}

TEST_F(FlagSetTest, IntLimitsAreIncluded) {
  EXPECT_FALSE(flags_.Parse({"--verses", "0"}).ok());
  EXPECT_TRUE(flags_.Parse({"--verses", "1"}).ok());
  EXPECT_TRUE(flags_.Parse({"--verses", "2"}).ok());
  EXPECT_TRUE(flags_.Parse({"--verses", "8"}).ok());
  EXPECT_TRUE(flags_.Parse({"--verses", "9"}).ok());
  EXPECT_FALSE(flags_.Parse({"--verses", "10"}).ok());
  EXPECT_FALSE(flags_.Parse({"--verses", "99999999999999999999"}).ok());
  EXPECT_FALSE(flags_.Parse({"--verses", "2x"}).ok());
}

TEST_F(FlagSetTest, HelpShowsEveryFlagAndWinsOverErrors) {
  const std::string help = flags_.Help();
  for (const char* part :
       {"Usage: attendant sing [SONG]", "Voice:", "--loud", "--verses N", "--pause TIME"}) {
    EXPECT_THAT(help, HasSubstr(part));
  }
  EXPECT_TRUE(flags_.Parse({"--loud", "--help", "--nonsense"})->help_requested);
}

TEST(SuggestTest, CountsSwapsAsOneAndKeepsFarWordsAway) {
  EXPECT_EQ(EditDistance("form", "from"), 1U);
  EXPECT_EQ(EditDistance("", "abc"), 3U);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
  EXPECT_EQ(Suggest("translte", {"models", "translate"}), "translate");
  EXPECT_EQ(Suggest("zebra", {"models", "translate"}), "");
  EXPECT_EQ(Suggest(std::string(100, 'x'), {std::string(100, 'x')}), "");
}

}  // namespace
}  // namespace attendant::client
