#include "server/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/http/raw_http.h"

namespace attendant {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr size_t kMaxBody = 1000;

HttpServer::Options TestOptions() {
  HttpServer::Options options;
  options.host = "127.0.0.1";
  options.max_body_bytes = kMaxBody;
  return options;
}

void Echo(const std::shared_ptr<HttpExchange>& exchange) {
  const HttpRequest& request = exchange->request();
  HttpResponse response;
  response.body = absl::StrCat(request.method, " ", request.path, " ", request.body);
  exchange->Answer(std::move(response));
}

std::unique_ptr<HttpServer> StartServer(const HttpServer::Options& options,
                                        HttpServer::Handler handler = Echo) {
  auto server = HttpServer::Start(options, std::move(handler));
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

// Keeps requests until it is told to answer, or ends.
class KeepingServer {
 public:
  explicit KeepingServer(const HttpServer::Options& options) {
    server_ = StartServer(options, [this](std::shared_ptr<HttpExchange> exchange) {
      const std::lock_guard lock(mutex_);
      if (is_ending_) return exchange->Answer({});
      kept_.push_back(std::move(exchange));
    });
  }
  ~KeepingServer() {
    {
      const std::lock_guard lock(mutex_);
      is_ending_ = true;
    }
    AnswerAll();
  }
  int port() const { return server_->port(); }
  bool KeepsWithin10s(size_t wanted) {
    for (int i = 0; i < 1000 && num_kept() != wanted; ++i) std::this_thread::sleep_for(milliseconds(10));
    return num_kept() == wanted;
  }
  void AnswerAll() {
    std::vector<std::shared_ptr<HttpExchange>> kept;
    {
      const std::lock_guard lock(mutex_);
      kept.swap(kept_);
    }
    for (const auto& exchange : kept) exchange->Answer({});
  }

 private:
  size_t num_kept() {
    const std::lock_guard lock(mutex_);
    return kept_.size();
  }
  std::mutex mutex_;
  bool is_ending_ = false;  // Guarded by mutex_, as is ...
  std::vector<std::shared_ptr<HttpExchange>> kept_;
  std::unique_ptr<HttpServer> server_;
};

void ExpectRefusedForMemory(RawHttpConnection& connection) {
  const RawResponse response = connection.Receive();
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(RawHttpConnection::Header(response, "Retry-After"), "1");
  EXPECT_EQ(RawHttpConnection::Header(response, "Connection"), "close");
  EXPECT_TRUE(connection.IsClosedWithin(5000));
}

// Headers of a request whose body is not there yet.
std::string HeadText(size_t body_size) {
  return absl::StrCat("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ", body_size, "\r\n\r\n");
}

TEST(HttpServerTest, AnswersWithWhatTheHandlerSays) {
  const auto server = StartServer(TestOptions(), [](const std::shared_ptr<HttpExchange>& exchange) {
    EXPECT_EQ(exchange->request().content_type, "text/x");
    EXPECT_EQ(exchange->request().authorization, "Bearer k");
    EXPECT_EQ(exchange->request().timeout_ms, "17");
    exchange->Answer({405, "{}", "POST", "3"});
  });
  const RawResponse response =
      AskHttp(server->port(), "GET", "/a%20b?c=d", "",
              "Content-Type: text/x\r\nauthorization: Bearer k\r\nx-request-timeout-ms: 17\r\n");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.body, "{}");
  EXPECT_EQ(RawHttpConnection::Header(response, "Content-Type"), "application/json");
  EXPECT_EQ(RawHttpConnection::Header(response, "Allow"), "POST");
  EXPECT_EQ(RawHttpConnection::Header(response, "Retry-After"), "3");
}

TEST(HttpServerTest, ABodyIsTakenUpToItsLimit) {
  const auto server = StartServer(TestOptions());
  for (const size_t size : {size_t{0}, kMaxBody - 1, kMaxBody}) {
    const RawResponse response = AskHttp(server->port(), "POST", "/x", std::string(size, 'y'));
    EXPECT_EQ(response.status, 200) << size;
    EXPECT_EQ(response.body.size(), size + 8) << size;
  }
  const RawResponse response = AskHttp(server->port(), "POST", "/x", std::string(kMaxBody + 1, 'y'));
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.body, R"({"error":"the body is over 1000 bytes"})");
  EXPECT_THAT(AskHttp(server->port(), "POST", "/v1/x", std::string(kMaxBody + 1, 'y')).body,
              HasSubstr(R"("type":"invalid_request_error")"));
}

TEST(HttpServerTest, ABodyInChunksHasTheSameLimit) {
  const auto server = StartServer(TestOptions());
  const std::string head = "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const int chunks : {100, 101}) {  // Of ten bytes each.
    RawHttpConnection connection(server->port());
    connection.Send(head);
    for (int i = 0; i < chunks; ++i) connection.Send("a\r\n0123456789\r\n");
    connection.Send("0\r\n\r\n");
    EXPECT_EQ(connection.Receive().status, chunks == 100 ? 200 : 413);
  }
}

TEST(HttpServerTest, AllBodiesTogetherHaveALimit) {
  HttpServer::Options options = TestOptions();
  options.max_bytes_of_all_bodies = 2500;
  KeepingServer server(options);
  for (const size_t size : {size_t{499}, size_t{500}, size_t{501}}) {
    RawHttpConnection first(server.port()), second(server.port()), third(server.port());
    first.Send(HttpText("POST", "/", std::string(1000, 'x')));
    second.Send(HttpText("POST", "/", std::string(1000, 'x')));
    EXPECT_TRUE(server.KeepsWithin10s(2));
    third.Send(HeadText(size));  // Is refused by what it says.
    if (size > 500) {
      ExpectRefusedForMemory(third);
    } else {
      third.Send(std::string(size, 'x'));
      EXPECT_TRUE(server.KeepsWithin10s(3)) << size;
    }
    server.AnswerAll();  // Which makes room.
    EXPECT_EQ(first.Receive().status, 200);
    EXPECT_EQ(second.Receive().status, 200);
  }
}

TEST(HttpServerTest, WhatHasNoBodyIsTakenWhenThereIsNoRoomForBodies) {
  HttpServer::Options options = TestOptions();
  options.max_bytes_of_all_bodies = 1000;
  KeepingServer server(options);
  RawHttpConnection full(server.port()), empty(server.port());
  full.Send(HttpText("POST", "/", std::string(1000, 'x')));
  EXPECT_TRUE(server.KeepsWithin10s(1));
  empty.Send(HttpText("GET", "/"));
  EXPECT_TRUE(server.KeepsWithin10s(2));
  server.AnswerAll();
  EXPECT_EQ(empty.Receive().status, 200);
}

TEST(HttpServerTest, ABodyThatDoesNotSayItsLengthIsRefusedAtItsEnd) {
  HttpServer::Options options = TestOptions();
  options.max_bytes_of_all_bodies = 1500;
  KeepingServer server(options);
  RawHttpConnection kept(server.port()), chunked(server.port());
  kept.Send(HttpText("POST", "/", std::string(1000, 'x')));
  EXPECT_TRUE(server.KeepsWithin10s(1));
  chunked.Send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 51; ++i) chunked.Send("a\r\n0123456789\r\n");
  // Once the other's last bytes are read, none of its 510 is kept.
  int status = 503;
  for (int i = 0; i < 1000 && status == 503; ++i) {
    RawHttpConnection later(server.port());
    later.Send(HttpText("POST", "/", std::string(500, 'x')));
    status = later.Receive(1000).status;
  }
  EXPECT_EQ(status, 0);  // It waits for its answer.
  EXPECT_TRUE(server.KeepsWithin10s(2));
  chunked.Send("0\r\n\r\n");
  ExpectRefusedForMemory(chunked);
}

TEST(HttpServerTest, WhoGoesInTheMiddleOfItsBodyMakesRoom) {
  HttpServer::Options options = TestOptions();
  options.max_bytes_of_all_bodies = 1000;
  const auto server = StartServer(options);
  {
    RawHttpConnection half(server->port());
    half.Send(HeadText(1000) + std::string(900, 'x'));
    int status = 0;
    for (int i = 0; i < 1000 && status != 503; ++i) {
      status = AskHttp(server->port(), "POST", "/", std::string(500, 'x')).status;
    }
    EXPECT_EQ(status, 503);
  }
  int status = 0;
  for (int i = 0; i < 1000 && status != 200; ++i) {
    status = AskHttp(server->port(), "POST", "/", std::string(1000, 'x')).status;
  }
  EXPECT_EQ(status, 200);
}

TEST(HttpServerTest, BodiesAreRefusedWhileMemoryIsHigh) {
  std::atomic<bool> is_high = true;
  HttpServer::Options options = TestOptions();
  options.is_memory_high = [&] { return is_high.load(); };
  const auto server = StartServer(options);
  RawHttpConnection known(server->port()), chunked(server->port());
  known.Send(HeadText(1));
  ExpectRefusedForMemory(known);
  chunked.Send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  ExpectRefusedForMemory(chunked);
  EXPECT_EQ(AskHttp(server->port(), "GET", "/").status, 200);
  is_high = false;
  EXPECT_EQ(AskHttp(server->port(), "POST", "/", "x").status, 200);
}

TEST(HttpServerTest, LongHeadersAreRefused) {
  const auto server = StartServer(TestOptions());
  const RawResponse good = AskHttp(server->port(), "GET", "/", "", "X: " + std::string(4000, 'x') + "\r\n");
  EXPECT_EQ(good.status, 200);
  RawHttpConnection connection(server->port());
  connection.Send("GET / HTTP/1.1\r\nHost: h\r\n");
  bool is_open = true;
  for (int i = 0; i < 100 && is_open; ++i) is_open = connection.Send("X: " + std::string(1000, 'x') + "\r\n");
  connection.Send("\r\n");
  EXPECT_NE(connection.Receive().status, 200);
  EXPECT_TRUE(connection.IsClosedWithin(5000));
}

TEST(HttpServerTest, NonsenseIsRefusedAndTheConnectionClosed) {
  HttpServer::Options options = TestOptions();
  options.receive_timeout = milliseconds(500);
  const auto server = StartServer(options);
  for (const char* text : {"\r\n\r\n\r\n\r\nhello\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x00\x01\r\n\r\n",
                           "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\n",
                           "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n"}) {
    RawHttpConnection connection(server->port());
    connection.Send(text);
    connection.CloseSending();
    EXPECT_NE(connection.Receive().status, 200) << text;
    EXPECT_TRUE(connection.IsClosedWithin(5000)) << text;
  }
  EXPECT_EQ(AskHttp(server->port(), "GET", "/").status, 200);
}

TEST(HttpServerTest, AConnectionServesOneRequestAfterTheOther) {
  const auto server = StartServer(TestOptions());
  RawHttpConnection connection(server->port());
  for (int i = 0; i < 100; ++i) {
    connection.Send(HttpText("POST", "/", absl::StrCat(i)));
    EXPECT_EQ(connection.Receive().body, absl::StrCat("POST / ", i));
  }
  connection.Send(HttpText("POST", "/", "a") + HttpText("POST", "/", "b"));  // Pipelined.
  EXPECT_EQ(connection.Receive().body, "POST / a");
  EXPECT_EQ(connection.Receive().body, "POST / b");
}

TEST(HttpServerTest, WhoTricklesIsClosedInTime) {
  HttpServer::Options options = TestOptions();
  options.receive_timeout = milliseconds(400);
  const auto server = StartServer(options);
  for (const std::string& begin :
       {std::string(), std::string("GET / HT"),
        std::string("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\nabc")}) {
    RawHttpConnection connection(server->port());
    const auto start = std::chrono::steady_clock::now();
    connection.Send(begin);
    // A byte now and then, which an idle timeout would take for life.
    while (!connection.IsClosedWithin(50)) {
      connection.Send("a");
      ASSERT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10)) << begin;
    }
    EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(390)) << begin;
  }
}

TEST(HttpServerTest, WhoDoesNotTakeItsAnswerIsClosedInTime) {
  HttpServer::Options options = TestOptions();
  options.send_timeout = milliseconds(300);
  const auto server = StartServer(options, [](const std::shared_ptr<HttpExchange>& exchange) {
    HttpResponse response;
    response.body = std::string(64 << 20, 'x');
    exchange->Answer(std::move(response));
  });
  RawHttpConnection connection(server->port());
  connection.Send(HttpText("GET", "/"));
  EXPECT_TRUE(server->WaitIdle(std::chrono::seconds(10)));
}

TEST(HttpServerTest, ShortenEndsWhoDoesNotTakeItsAnswer) {
  const auto server = StartServer(TestOptions(), [](const std::shared_ptr<HttpExchange>& exchange) {
    HttpResponse response;
    response.body = std::string(64 << 20, 'x');
    exchange->Answer(std::move(response));
  });
  RawHttpConnection connection(server->port());
  connection.Send(HttpText("GET", "/"));
  while (server->WaitIdle(milliseconds(0))) std::this_thread::yield();
  EXPECT_FALSE(server->WaitIdle(milliseconds(500)));
  server->Shorten(milliseconds(200));
  server->Shorten(std::chrono::hours(1));  // Lengthens nothing.
  EXPECT_TRUE(server->WaitIdle(std::chrono::seconds(10)));
}

TEST(HttpServerTest, TheHandlerHearsThatAClientHasGone) {
  std::mutex mutex;
  std::vector<std::shared_ptr<HttpExchange>> open;
  std::atomic<int> gone = 0;
  const auto server = StartServer(TestOptions(), [&](std::shared_ptr<HttpExchange> exchange) {
    exchange->OnGone([&gone] { ++gone; });
    const std::lock_guard lock(mutex);
    open.push_back(std::move(exchange));
  });
  const auto num_open = [&] {
    const std::lock_guard lock(mutex);
    return open.size();
  };
  {
    RawHttpConnection connection(server->port());
    connection.Send(HttpText("GET", "/"));
    while (num_open() == 0) std::this_thread::yield();
    EXPECT_EQ(gone, 0);
  }
  while (gone == 0) std::this_thread::yield();
  EXPECT_FALSE(server->WaitIdle(milliseconds(1)));  // It must be answered all the same.
  open.front()->Answer({});
  EXPECT_TRUE(server->WaitIdle(std::chrono::seconds(10)));
  EXPECT_EQ(gone, 1);
}

TEST(HttpServerTest, WhoWentBeforeTheHandlerAskedIsToldAtOnce) {
  HttpExchange exchange({}, [](const HttpResponse&) {});
  int gone = 0;
  exchange.NoteGone();
  exchange.OnGone([&] { ++gone; });
  EXPECT_EQ(gone, 1);
  exchange.Answer({});
  exchange.OnGone([&] { ++gone; });
  EXPECT_EQ(gone, 1);
}

TEST(HttpServerTest, OnlyTheFirstAnswerCounts) {
  std::vector<int> sent;
  HttpExchange exchange({}, [&](const HttpResponse& response) { sent.push_back(response.status); });
  exchange.Answer({201, "", "", ""});
  exchange.Answer({202, "", "", ""});
  EXPECT_THAT(sent, testing::ElementsAre(201));
}

TEST(HttpServerTest, AThousandConnectionsAreServedAndSilentOnesCostNoOther) {
  HttpServer::Options options = TestOptions();
  options.max_connections = 1001;
  const auto server = StartServer(options);
  std::vector<std::unique_ptr<RawHttpConnection>> connections;
  for (int i = 0; i < 1000; ++i) {
    connections.push_back(std::make_unique<RawHttpConnection>(server->port()));
    ASSERT_TRUE(connections.back()->is_connected()) << i;
  }
  EXPECT_EQ(AskHttp(server->port(), "GET", "/").status, 200);
  for (const auto& connection : connections) connection->Send(HttpText("GET", "/"));
  for (const auto& connection : connections) EXPECT_EQ(connection->Receive().status, 200);
}

TEST(HttpServerTest, OneConnectionTooManyWaitsForAPlace) {
  HttpServer::Options options = TestOptions();
  options.max_connections = 8;
  const auto server = StartServer(options);
  std::vector<std::unique_ptr<RawHttpConnection>> connections;
  for (int i = 0; i < 8; ++i) {
    connections.push_back(std::make_unique<RawHttpConnection>(server->port()));
    connections.back()->Send(HttpText("GET", "/"));
    EXPECT_EQ(connections.back()->Receive().status, 200) << i;
  }
  RawHttpConnection late(server->port());
  late.Send(HttpText("GET", "/"));
  EXPECT_EQ(late.Receive(300).status, 0);
  connections.pop_back();
  EXPECT_EQ(late.Receive().status, 200);
}

TEST(HttpServerTest, OnePeersConnectionTooManyIsClosed) {
  HttpServer::Options options = TestOptions();
  options.max_connections_per_peer = 3;
  const auto server = StartServer(options);
  std::vector<std::unique_ptr<RawHttpConnection>> connections;
  for (int i = 0; i < 3; ++i) {
    connections.push_back(std::make_unique<RawHttpConnection>(server->port()));
    connections.back()->Send(HttpText("GET", "/"));
    EXPECT_EQ(connections.back()->Receive().status, 200) << i;
  }
  EXPECT_TRUE(RawHttpConnection(server->port()).IsClosedWithin(5000));
  connections.pop_back();
  int status = 0;
  for (int i = 0; i < 1000 && status != 200; ++i) status = AskHttp(server->port(), "GET", "/").status;
  EXPECT_EQ(status, 200);
}

TEST(HttpServerTest, AfterStopAcceptingOpenConnectionsEndWithTheirAnswer) {
  std::shared_ptr<HttpExchange> open;
  std::atomic<bool> has_come = false;
  const auto server = StartServer(TestOptions(), [&](std::shared_ptr<HttpExchange> exchange) {
    open = std::move(exchange);
    has_come = true;
  });
  RawHttpConnection connection(server->port());
  connection.Send(HttpText("GET", "/"));
  while (!has_come) std::this_thread::yield();
  server->StopAccepting();
  EXPECT_FALSE(RawHttpConnection(server->port()).is_connected());
  open->Answer({200, "{}", "", ""});
  const RawResponse response = connection.Receive();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(RawHttpConnection::Header(response, "Connection"), "close");
  EXPECT_TRUE(connection.IsClosedWithin(5000));
}

TEST(HttpServerTest, ItsEndWaitsForTheAnswers) {
  std::vector<std::thread> answering;
  {
    const auto server = StartServer(TestOptions(), [&](std::shared_ptr<HttpExchange> exchange) {
      answering.emplace_back([exchange = std::move(exchange)] {
        std::this_thread::sleep_for(milliseconds(100));
        exchange->Answer({});
      });
    });
    RawHttpConnection connection(server->port());
    connection.Send(HttpText("GET", "/"));
    while (server->WaitIdle(milliseconds(0))) std::this_thread::yield();
  }
  for (std::thread& thread : answering) thread.join();
}

TEST(HttpServerTest, ATakenPortIsAnError) {
  const auto server = StartServer(TestOptions());
  HttpServer::Options options = TestOptions();
  options.port = server->port();
  EXPECT_EQ(HttpServer::Start(options, Echo).status().code(), absl::StatusCode::kUnavailable);
  options.host = "no such host";
  EXPECT_EQ(HttpServer::Start(options, Echo).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace attendant
