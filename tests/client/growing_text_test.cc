#include "client/growing_text.h"

#include <gtest/gtest.h>

namespace attendant::client {
namespace {

v1::StreamGrowingText Growing(int index, const std::string& text) {
  v1::StreamGrowingText event;
  event.set_sentence_index(index);
  event.set_text(text);
  return event;
}

v1::StreamSentence Sentence(int index, const std::string& text, const std::string& trailing) {
  v1::StreamSentence event;
  event.set_sentence_index(index);
  event.mutable_sentence()->add_hypotheses()->set_text(text);
  event.mutable_sentence()->set_trailing_space(trailing);
  return event;
}

TEST(GrowingTextTest, SentencesThatFinishEarlyWaitForTheirTurn) {
  GrowingText text;
  text.Handle(Growing(1, "Wie"));
  text.Handle(Growing(0, "Gu"));
  EXPECT_EQ(text.current(), "Gu");
  text.Handle(Sentence(1, "Wie geht's?", "\n"));
  EXPECT_EQ(text.settled(), "");
  EXPECT_EQ(text.current(), "Gu");
  text.Handle(Sentence(0, "Guten Tag.", " "));
  EXPECT_EQ(text.settled(), "Guten Tag. Wie geht's?\n");
}

TEST(GrowingTextTest, TheNextSentenceShowsWhatItHasGrownTo) {
  GrowingText text;
  text.Handle(Growing(1, "Wie"));
  text.Handle(Sentence(0, "Ja.", " "));
  EXPECT_EQ(text.current(), "Ja. Wie");
  text.Handle(Growing(0, "late"));
  EXPECT_EQ(text.current(), "Ja. Wie");
}

TEST(LiveLineTest, WritesOnlyWhatIsNew) {
  LiveLine line(80);
  EXPECT_EQ(line.Show("Guten"), "Guten");
  EXPECT_EQ(line.Show("Guten Tag"), " Tag");
  EXPECT_EQ(line.Show("Guten Tag"), "");
}

TEST(LiveLineTest, AChangeRedrawsTheLastLine) {
  LiveLine line(80);
  line.Show("First.\nSecnd");
  EXPECT_EQ(line.Show("First.\nSecond"), "\r\x1b[JSecond");
}

TEST(LiveLineTest, AWrappedLineIsRedrawnFromItsFirstRow) {
  LiveLine line(10);
  line.Show(std::string(10, 'x'));  // Fills the row; the cursor has not left it.
  EXPECT_EQ(line.Show("y"), "\r\x1b[Jy");
  line.Show("y" + std::string(24, 'x'));
  EXPECT_EQ(line.Show("z"), "\r\x1b[2A\x1b[Jz");
}

}  // namespace
}  // namespace attendant::client
