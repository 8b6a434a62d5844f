#include "server/stream_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace attendant {
namespace {

using v1::TranslateStreamResponse;

TranslateStreamResponse Growing(int content, int sentence, const std::string& text) {
  TranslateStreamResponse event;
  event.mutable_growing_text()->set_content_index(content);
  event.mutable_growing_text()->set_sentence_index(sentence);
  event.mutable_growing_text()->set_text(text);
  return event;
}

TranslateStreamResponse Sentence(int content, int sentence) {
  TranslateStreamResponse event;
  event.mutable_sentence()->set_content_index(content);
  event.mutable_sentence()->set_sentence_index(sentence);
  return event;
}

TranslateStreamResponse Content(int content) {
  TranslateStreamResponse event;
  event.mutable_content()->set_content_index(content);
  return event;
}

TEST(StreamQueueTest, GivesEventsInOrder) {
  StreamQueue queue;
  queue.Push(Growing(0, 0, "a"));
  queue.Push(Sentence(0, 1));
  queue.Push(Content(0));
  EXPECT_TRUE(queue.Pop()->has_growing_text());
  EXPECT_TRUE(queue.Pop()->has_sentence());
  EXPECT_TRUE(queue.Pop()->has_content());
  EXPECT_FALSE(queue.Pop().has_value());
}

TEST(StreamQueueTest, GrowingTextOfASentenceWaitsOnceInItsLatestForm) {
  StreamQueue queue;
  queue.Push(Growing(0, 0, "a"));
  queue.Push(Growing(0, 1, "x"));
  queue.Push(Growing(0, 0, "a b"));
  EXPECT_EQ(queue.Pop()->growing_text().text(), "a b");
  queue.Push(Growing(0, 0, "a b c"));
  EXPECT_EQ(queue.Pop()->growing_text().text(), "x");
  EXPECT_EQ(queue.Pop()->growing_text().text(), "a b c");
  EXPECT_FALSE(queue.Pop().has_value());
}

TEST(StreamQueueTest, FinishedSentenceTakesThePlaceOfItsGrowingText) {
  StreamQueue queue;
  queue.Push(Growing(0, 0, "a"));
  queue.Push(Growing(0, 1, "x"));
  queue.Push(Sentence(0, 0));
  EXPECT_EQ(queue.Pop()->sentence().sentence_index(), 0);
  EXPECT_EQ(queue.Pop()->growing_text().text(), "x");
  EXPECT_FALSE(queue.Pop().has_value());
}

TEST(StreamQueueTest, CountsTheBytesThatWait) {
  StreamQueue queue;
  EXPECT_EQ(queue.pending_bytes(), 0);
  const TranslateStreamResponse longer = Growing(0, 0, std::string(100, 'a'));
  queue.Push(Growing(0, 0, "a"));
  queue.Push(longer);
  EXPECT_EQ(queue.pending_bytes(), static_cast<int64_t>(longer.ByteSizeLong()));
  queue.Push(Content(3));
  queue.Pop();
  queue.Pop();
  EXPECT_EQ(queue.pending_bytes(), 0);
  queue.Push(longer);
  queue.Clear();
  EXPECT_EQ(queue.pending_bytes(), 0);
  queue.Push(longer);
  EXPECT_TRUE(queue.Pop().has_value());
}

}  // namespace
}  // namespace attendant
