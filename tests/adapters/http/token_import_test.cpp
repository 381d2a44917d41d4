#include "adapters/http/token_import.hpp"
#include "tests/adapters/http/api_fixture.hpp"

#include <thread>

namespace signalbox::http {

namespace {

class token_import_test : public api_fixture {
protected:
  boost::json::value import(const std::string& text) {
    auto answer = ask("POST", "/v1/tokens:batch", text, "application/x-ndjson");
    EXPECT_EQ(answer.status, 200) << answer.body;
    return boost::json::parse(answer.body);
  }

  static std::string line(int i) {
    char token[17];
    std::snprintf(token, sizeof(token), "%016x", i);
    return R"({"id":"u)" + std::to_string(i) + R"(","platform":"apns","token":")" + token +
           R"(","topics":["all"]})";
  }

  std::size_t registered() {
    std::lock_guard guard{users_.mutex};
    return users_.registered.size();
  }

  bool let_one_go() {
    std::unique_lock lock{users_.mutex};
    if (users_.held.empty())
      return false;
    auto run = std::move(users_.held.front());
    users_.held.pop_front();
    lock.unlock();
    run();
    return true;
  }
};

TEST_F(token_import_test, registers_every_line) {
  std::string text;
  for (int i = 0; i < 12'345; ++i)
    text += line(i) + (i % 3 == 0 ? "\r\n" : "\n");
  text.pop_back(); // the last line needs no end
  auto answer = import(text);
  EXPECT_EQ(answer.at("created").as_int64() + answer.at("updated").as_int64(), 12'345);
  EXPECT_EQ(answer.at("refused").as_int64(), 0);
  ASSERT_EQ(registered(), 12'345u);
  for (int i = 0; i < 12'345; ++i)
    ASSERT_EQ(users_.registered[static_cast<std::size_t>(i)].user, "u" + std::to_string(i));
}

TEST_F(token_import_test, refuses_bad_lines_by_their_number) {
  auto answer = import(line(1) + "\n\nnot json\n" + R"({"platform":"apns","token":"xyz"})" + "\n" +
                       std::string(300'000, ' ') + "x\n" + line(2));
  EXPECT_EQ(registered(), 2u);
  EXPECT_EQ(answer.at("refused").as_int64(), 3);
  const auto& errors = answer.at("errors").as_array();
  ASSERT_EQ(errors.size(), 3u);
  EXPECT_EQ(errors[0].at("line").as_int64(), 3);
  EXPECT_EQ(errors[1].at("line").as_int64(), 4);
  EXPECT_EQ(errors[1].at("pointer").as_string(), "/token");
  EXPECT_EQ(errors[2].at("line").as_int64(), 5);
  EXPECT_EQ(errors[2].at("detail").as_string(), "is longer than 256 KiB");
}

TEST_F(token_import_test, lists_a_bounded_number_of_errors) {
  std::string text;
  for (int i = 0; i < 3'000; ++i)
    text += "x\n";
  auto answer = import(text);
  EXPECT_EQ(answer.at("refused").as_int64(), 3'000);
  EXPECT_EQ(answer.at("errors").as_array().size(), 1'000u);
  EXPECT_EQ(answer.at("errors_omitted").as_int64(), 2'000);
}

TEST_F(token_import_test, skips_byte_order_marks) {
  const std::string mark = "\xEF\xBB\xBF";
  auto answer = import(mark + line(1) + "\n" + mark + "\r\n" + mark + line(2));
  EXPECT_EQ(answer.at("refused").as_int64(), 0);
  EXPECT_EQ(registered(), 2u);
}

TEST_F(token_import_test, goes_by_every_name_of_its_type) {
  for (std::string type : {"application/x-ndjson", "application/ndjson", "application/jsonl",
                           "application/x-jsonlines", "Application/JSONL ; charset=utf-8"})
    EXPECT_EQ(ask("POST", "/v1/tokens:batch", line(1), type).status, 200) << type;
  const auto wrong = ask("POST", "/v1/tokens:batch", line(1), "text/csv");
  EXPECT_EQ(wrong.status, 415);
  EXPECT_NE(wrong.body.find("application/json, application/x-ndjson, application/ndjson, "
                            "application/jsonl or application/x-jsonlines"),
            wrong.body.npos)
    << wrong.body;
}

TEST_F(token_import_test, the_answer_is_bounded_whatever_is_refused) {
  std::string text;
  for (int i = 0; i < 1'500; ++i)
    text += "{\"" + std::string(1'000, 'k') + "\":1}\n";
  auto answer = ask("POST", "/v1/tokens:batch", text, "application/x-ndjson");
  EXPECT_LT(answer.body.size(), 300u * 1024);
  const auto body = boost::json::parse(answer.body);
  EXPECT_EQ(body.at("refused").as_int64(), 1'500);
  EXPECT_EQ(static_cast<std::int64_t>(body.at("errors").as_array().size()) +
              body.at("errors_omitted").as_int64(),
            1'500);
}

TEST_F(token_import_test, as_many_run_as_there_is_room_for) {
  serve();
  const std::string head = "POST /v1/tokens:batch HTTP/1.1\r\nHost: a\r\n"
                           "Content-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n";
  std::vector<raw_client> open;
  for (int i = 0; i < 16; ++i) {
    open.emplace_back(server_->port());
    ASSERT_TRUE(open.back().send("GET /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n" + head + "{"));
    ASSERT_TRUE(open.back().receive()); // so that its import has begun
  }
  raw_client late{server_->port()};
  auto answer = late.ask(head);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  open.clear();
  ASSERT_TRUE(eventually([&] { return server_->connections() <= 1; }));
  EXPECT_EQ(import(line(1)).at("created").as_int64(), 1);
}

TEST_F(token_import_test, an_empty_import_is_fine) {
  EXPECT_EQ(import("").at("created").as_int64(), 0);
}

TEST_F(token_import_test, reads_no_faster_than_the_store_takes) {
  users_.hold = true;
  serve();
  const int count = 100'000;
  std::string text;
  for (int i = 0; i < count; ++i)
    text += line(i) + '\n';
  raw_client client{server_->port()};
  std::thread sender{[&] {
    client.send(
      "POST /v1/tokens:batch HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n"
      "Content-Length: " +
      std::to_string(text.size()) + "\r\n\r\n");
    client.send(text);
  }};
  // One slice is with the store; whatever is sent, no second one may reach it.
  ASSERT_TRUE(eventually([&] { return registered() > 0; }));
  EXPECT_EQ(registered(), 2'000u);
  ASSERT_TRUE(eventually([&] {
    let_one_go();
    return registered() == static_cast<std::size_t>(count);
  }));
  while (let_one_go()) {
  }
  auto answer = client.receive();
  sender.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200) << answer->body;
}

TEST_F(token_import_test, a_store_that_fails_ends_the_import_with_503) {
  users_.code = errc::disk_full;
  auto answer = ask("POST", "/v1/tokens:batch", line(1) + "\n", "application/x-ndjson");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.fields["retry-after"], "1");
}

TEST_F(token_import_test, a_client_that_hangs_up_leaves_nothing_behind) {
  users_.hold = true;
  serve();
  {
    raw_client client{server_->port()};
    std::string text;
    for (int i = 0; i < 2'500; ++i)
      text += line(i) + '\n';
    client.send(
      "POST /v1/tokens:batch HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n"
      "Content-Length: 10000000\r\n\r\n");
    client.send(text);
    ASSERT_TRUE(eventually([&] { return registered() > 0; }));
  }
  EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
  EXPECT_TRUE(let_one_go());
  EXPECT_EQ(registered(), 2'000u); // what was not with the store yet is dropped
}

} // namespace

} // namespace signalbox::http
