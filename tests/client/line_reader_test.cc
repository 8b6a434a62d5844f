#include "client/line_reader.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <string_view>
#include <vector>

#include "client/text_source.h"

namespace attendant::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The real thing: what is written comes out at the other end.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe(fds_), 0); }
  ~Pipe() {
    Close();
    close(fds_[0]);
  }
  Pipe& Write(std::string_view text) {
    EXPECT_EQ(write(fds_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    return *this;
  }
  void Close() {
    if (fds_[1] >= 0) close(fds_[1]);
    fds_[1] = -1;
  }
  int fd() const { return fds_[0]; }

 private:
  int fds_[2];
};

std::vector<std::string> LinesOf(std::string_view input) {
  Pipe pipe;
  pipe.Write(input).Close();
  LineReader reader(pipe.fd(), {});
  std::vector<std::string> lines;
  while (true) {
    const auto line = reader.Next();
    EXPECT_TRUE(line.ok()) << line.status();
    if (!line.ok() || !line->has_value()) return lines;
    lines.push_back((*line)->text);
  }
}

TEST(LineReaderTest, KeepsEmptyLinesAndALastLineWithoutBreak) {
  EXPECT_THAT(LinesOf("a\n\n\nb"), ElementsAre("a", "", "", "b"));
  EXPECT_THAT(LinesOf("a\n"), ElementsAre("a"));
  EXPECT_THAT(LinesOf("\n"), ElementsAre(""));
  EXPECT_THAT(LinesOf(""), IsEmpty());
}

TEST(LineReaderTest, TakesCarriageReturnsBeforeBreaksOnly) {
  EXPECT_THAT(LinesOf("a\r\nb\rc\r\n\r\nd\r"), ElementsAre("a", "b\rc", "", "d\r"));
}

TEST(LineReaderTest, DropsAByteOrderMarkAtTheBeginningOnly) {
  EXPECT_THAT(LinesOf("\xEF\xBB\xBF"
                      "a\n\xEF\xBB\xBF"
                      "b\n"),
              ElementsAre("a",
                          "\xEF\xBB\xBF"
                          "b"));
}

TEST(LineReaderTest, KeepsNulBytes) {
  EXPECT_THAT(LinesOf({"a\0b\n", 4}), ElementsAre(std::string("a\0b", 3)));
}

TEST(LineReaderTest, CountsInputBytesWithTheBreak) {
  Pipe pipe;
  pipe.Write("ab\r\nc").Close();
  LineReader reader(pipe.fd(), {});
  EXPECT_EQ((*reader.Next())->input_bytes, 4U);
  EXPECT_EQ((*reader.Next())->input_bytes, 1U);
}

TEST(LineReaderTest, RefusesLinesBeyondTheLimit) {
  for (const size_t length : {9U, 10U, 11U}) {
    Pipe pipe;
    pipe.Write(std::string(length, 'x') + "\n").Close();
    LineReader reader(pipe.fd(), {.max_text_bytes = 10});
    EXPECT_EQ(reader.Next().ok(), length <= 10) << length;
  }
}

TEST(LineReaderTest, HasLineDoesNotWait) {
  Pipe pipe;
  LineReader reader(pipe.fd(), {});
  EXPECT_FALSE(reader.HasLine());
  pipe.Write("begin");
  EXPECT_FALSE(reader.HasLine());
  pipe.Write("ning\nnext");
  EXPECT_TRUE(reader.HasLine());
  EXPECT_EQ((*reader.Next())->text, "beginning");
  EXPECT_FALSE(reader.HasLine());
  pipe.Close();
  EXPECT_TRUE(reader.HasLine());
  EXPECT_EQ((*reader.Next())->text, "next");
  EXPECT_FALSE((*reader.Next()).has_value());
}

TEST(LineReaderTest, StopsWhenTold) {
  Pipe pipe;
  Pipe stop;
  stop.Write("x");
  LineReader reader(pipe.fd(), {.stop_fd = stop.fd()});
  EXPECT_TRUE(absl::IsCancelled(reader.Next().status()));
}

TEST(LineReaderTest, ReadAllKeepsLineBreaks) {
  Pipe pipe;
  pipe.Write("a\r\n\nb\n").Close();
  EXPECT_EQ(*LineReader(pipe.fd(), {}).ReadAll(), "a\r\n\nb\n");
}

TEST(TextSourceTest, NumbersTextsAndCountsReplacedBytes) {
  Pipe pipe;
  pipe.Write("ok\nbad \xFF\xFE\n").Close();
  const auto source = MakeLineSource(pipe.fd(), {});
  const auto first = source->Next();
  const auto second = source->Next();
  ASSERT_TRUE(first.ok() && first->has_value() && second.ok() && second->has_value());
  EXPECT_EQ((*first)->number, 1U);
  EXPECT_EQ((*second)->number, 2U);
  EXPECT_EQ((*second)->text, "bad \xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(source->replaced_bytes(), 2U);
}

TEST(TextSourceTest, WholeInputIsOneText) {
  Pipe pipe;
  pipe.Write("a\nb\n").Close();
  const auto source = MakeWholeSource(pipe.fd(), {});
  EXPECT_EQ((*source->Next())->text, "a\nb\n");
  EXPECT_FALSE((*source->Next()).has_value());
}

}  // namespace
}  // namespace attendant::client
