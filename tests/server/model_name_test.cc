#include "server/model_name.h"

#include <gtest/gtest.h>

#include <string>

namespace attendant {
namespace {

TEST(ModelNameTest, TakesLettersDigitsDotUnderscoreAndDash) {
  for (const char* name : {"a", "translate-en-de", "Opus_MT.v1", "9", "_", "-x"}) {
    EXPECT_TRUE(CheckModelName(name).ok()) << name;
  }
}

TEST(ModelNameTest, TakesSixtyFourCharactersAndNotOneMore) {
  EXPECT_TRUE(CheckModelName(std::string(63, 'a')).ok());
  EXPECT_TRUE(CheckModelName(std::string(64, 'a')).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(CheckModelName(std::string(65, 'a'))));
}

TEST(ModelNameTest, RefusesWhatCouldBeAPathOrBreakALine) {
  const std::string bad[] = {"",    ".",   "..",   "../x", "/x",     "a/b", "a\\b", std::string("a\0b", 3),
                             "a b", "a\n", "\xff", "ä",    ".hidden"};
  for (const std::string& name : bad) EXPECT_TRUE(absl::IsInvalidArgument(CheckModelName(name))) << name;
}

}  // namespace
}  // namespace attendant
