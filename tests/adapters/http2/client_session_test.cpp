#include "adapters/http2/client_session.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <list>
#include <map>
#include <string>
#include <vector>

using namespace signalbox;

namespace {

nghttp2_nv field(std::string_view name, std::string_view value) {
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
          value.size(), NGHTTP2_NV_FLAG_NONE};
}

/// The server's side, by nghttp2 as well, without sockets.
class test_server {
public:
  struct request {
    std::map<std::string, std::string> headers;
    std::string body;
    bool complete = false;
  };

  explicit test_server(std::uint32_t max_streams = 100) {
    nghttp2_session_callbacks* calls = nullptr;
    nghttp2_session_callbacks_new(&calls);
    nghttp2_session_callbacks_set_on_header_callback(
      calls, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                std::uint8_t, void* self) {
        static_cast<test_server*>(self)
          ->requests[frame->hd.stream_id]
          .headers[std::string(reinterpret_cast<const char*>(name), name_size)] =
          std::string(reinterpret_cast<const char*>(value), value_size);
        return 0;
      });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      calls, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                std::size_t size, void* self) {
        static_cast<test_server*>(self)->requests[id].body.append(
          reinterpret_cast<const char*>(data), size);
        return 0;
      });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
      calls, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
        const bool of_stream = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
        if (of_stream && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
          static_cast<test_server*>(self)->requests[frame->hd.stream_id].complete = true;
        if (frame->hd.type == NGHTTP2_PRIORITY)
          ++static_cast<test_server*>(self)->priorities;
        if (frame->hd.type == NGHTTP2_RST_STREAM)
          static_cast<test_server*>(self)->resets[frame->hd.stream_id] =
            frame->rst_stream.error_code;
        return 0;
      });
    nghttp2_session_server_new(&session, calls, this);
    nghttp2_session_callbacks_del(calls);
    settings(max_streams);
  }
  ~test_server() { nghttp2_session_del(session); }
  test_server(const test_server&) = delete;
  test_server& operator=(const test_server&) = delete;

  void settings(std::uint32_t max_streams) {
    const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max_streams};
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &entry, 1);
  }

  void respond(std::int32_t id, std::string status, std::string body = {},
               std::string retry_after = {}) {
    bodies_.push_back(std::move(body));
    std::vector<nghttp2_nv> headers{field(":status", status)};
    if (!retry_after.empty())
      headers.push_back(field("retry-after", retry_after));
    nghttp2_data_provider provider;
    provider.source.ptr = &bodies_.back();
    provider.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* out,
                                std::size_t limit, std::uint32_t* flags,
                                nghttp2_data_source* source, void*) {
      auto& text = *static_cast<std::string*>(source->ptr);
      const auto size = std::min(limit, text.size());
      std::memcpy(out, text.data(), size);
      text.erase(0, size);
      if (text.empty())
        *flags |= NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(size);
    };
    nghttp2_submit_response(session, id, headers.data(), headers.size(),
                            bodies_.back().empty() ? nullptr : &provider);
  }

  nghttp2_session* session = nullptr;
  std::map<std::int32_t, request> requests;
  std::map<std::int32_t, std::uint32_t> resets;
  int priorities = 0;

private:
  std::list<std::string> bodies_;
};

struct ended_stream {
  stream_end end;
  std::uint16_t status;
  std::uint32_t error_code;
  std::string retry_after;
  std::string body;
};

class client_session_test : public testing::Test, protected client_session::observer {
protected:
  void on_stream_end(client_session::slot at, const http2_response& response) override {
    ended.push_back({response.end, response.status, response.error_code,
                     std::string{response.retry_after}, std::string{response.body}});
    ended_at.push_back(at);
  }
  void on_settings() override { ++settings_received; }
  void on_goaway(std::uint32_t) override { ++goaways; }
  void on_pong() override { ++pongs; }

  client_session::slot submit(std::string_view body = "{}") { return submit(http2_body{body}); }

  client_session::slot submit(const http2_body& body) {
    const std::vector<nghttp2_nv> headers{field(":method", "POST"), field(":scheme", "https"),
                                          field(":authority", "localhost"),
                                          field(":path", "/3/device/abc")};
    client_session::slot at = 0;
    EXPECT_TRUE(client.submit({headers, body}, at));
    return at;
  }

  void send_to_server() {
    std::vector<std::uint8_t> bytes;
    client.fill(bytes, 1 << 20);
    ASSERT_EQ(nghttp2_session_mem_recv(server.session, bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }
  void send_to_client() {
    const std::uint8_t* bytes = nullptr;
    while (const auto size = nghttp2_session_mem_send(server.session, &bytes))
      ASSERT_TRUE(client.receive({bytes, static_cast<std::size_t>(size)}));
  }
  void exchange() {
    send_to_server();
    send_to_client();
    send_to_server();
  }

  test_server server;
  client_session client{10, *this};
  std::vector<ended_stream> ended;
  std::vector<client_session::slot> ended_at;
  int settings_received = 0;
  int goaways = 0;
  int pongs = 0;
};

TEST_F(client_session_test, a_request_arrives_whole_and_its_response_comes_back) {
  const std::string body(3'000, 'x');
  const auto at = submit(body);
  exchange();
  ASSERT_EQ(server.requests.size(), 1u);
  EXPECT_EQ(server.requests[1].headers[":path"], "/3/device/abc");
  EXPECT_EQ(server.requests[1].body, body);
  EXPECT_TRUE(server.requests[1].complete);
  server.respond(1, "503", R"({"reason":"ServiceUnavailable"})", "5");
  exchange();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended_at[0], at);
  EXPECT_EQ(ended[0].end, stream_end::complete);
  EXPECT_EQ(ended[0].status, 503);
  EXPECT_EQ(ended[0].retry_after, "5");
  EXPECT_EQ(ended[0].body, R"({"reason":"ServiceUnavailable"})");
  EXPECT_EQ(client.open_streams(), 0u);
  EXPECT_EQ(server.priorities, 0);
}

TEST_F(client_session_test, a_body_larger_than_the_peers_window_waits_for_it) {
  const std::string body(200'000, 'y');
  submit(body);
  for (int i = 0; i < 20; ++i)
    exchange();
  EXPECT_EQ(server.requests[1].body, body);
}

TEST_F(client_session_test, a_body_in_pieces_arrives_as_one_wherever_frames_and_windows_cut_it) {
  const std::string middle(100'000, 'm');
  submit(http2_body{"head", middle, "tail"});
  submit(http2_body{"", "only", ""});
  for (int i = 0; i < 20; ++i)
    exchange();
  EXPECT_EQ(server.requests[1].body, "head" + middle + "tail");
  EXPECT_TRUE(server.requests[1].complete);
  EXPECT_EQ(server.requests[3].body, "only");
}

TEST_F(client_session_test, a_slot_that_is_used_again_remembers_nothing) {
  submit();
  exchange();
  server.respond(1, "429", "first", "9");
  exchange();
  submit();
  exchange();
  server.respond(3, "200");
  exchange();
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended_at[0], ended_at[1]);
  EXPECT_EQ(ended[1].status, 200);
  EXPECT_EQ(ended[1].body, "");
  EXPECT_EQ(ended[1].retry_after, "");
}

TEST_F(client_session_test, of_a_long_body_only_the_start_is_kept) {
  submit();
  exchange();
  server.respond(1, "400", std::string(10'000, 'z'));
  exchange();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].body.size(), response_rule{}.body_limit);
}

TEST_F(client_session_test, a_header_that_is_too_long_to_mean_anything_is_not_kept) {
  submit();
  exchange();
  server.respond(1, "503", {}, std::string(60'000, '9'));
  exchange();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].status, 503);
  EXPECT_EQ(ended[0].retry_after, "");
}

TEST_F(client_session_test, the_smaller_limit_rules_and_the_peers_is_followed_live) {
  EXPECT_EQ(client.stream_limit(), 10u);
  server.settings(3);
  exchange();
  EXPECT_GE(settings_received, 1);
  EXPECT_EQ(client.stream_limit(), 3u);
  submit();
  submit();
  EXPECT_EQ(client.free_streams(), 1u);
  exchange();
  server.settings(1);
  exchange();
  EXPECT_EQ(client.free_streams(), 0u);
  server.settings(1'000);
  exchange();
  EXPECT_EQ(client.free_streams(), 8u);
}

TEST_F(client_session_test, above_a_goaways_last_stream_nothing_was_processed) {
  submit();
  submit();
  exchange();
  nghttp2_submit_goaway(server.session, NGHTTP2_FLAG_NONE, 1, NGHTTP2_NO_ERROR, nullptr, 0);
  exchange();
  EXPECT_EQ(goaways, 1);
  EXPECT_EQ(client.free_streams(), 0u);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].end, stream_end::unprocessed);
  server.respond(1, "200");
  exchange();
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[1].end, stream_end::complete);
  client_session::slot at = 0;
  EXPECT_FALSE(client.submit({}, at));
}

TEST_F(client_session_test, what_was_not_written_before_a_goaway_was_not_processed) {
  exchange();
  nghttp2_submit_goaway(server.session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, nullptr, 0);
  const auto at = submit();
  EXPECT_FALSE(client.may_have_left(at));
  send_to_client();
  send_to_server();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].end, stream_end::unprocessed);
  EXPECT_TRUE(server.requests.empty());
}

TEST_F(client_session_test, a_refused_stream_was_not_processed_and_other_resets_may_have_been) {
  submit();
  submit();
  exchange();
  nghttp2_submit_rst_stream(server.session, NGHTTP2_FLAG_NONE, 1, NGHTTP2_REFUSED_STREAM);
  nghttp2_submit_rst_stream(server.session, NGHTTP2_FLAG_NONE, 3, NGHTTP2_INTERNAL_ERROR);
  exchange();
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[0].end, stream_end::refused);
  EXPECT_EQ(ended[1].end, stream_end::lost);
  EXPECT_EQ(ended[1].error_code, static_cast<std::uint32_t>(NGHTTP2_INTERNAL_ERROR));
}

TEST_F(client_session_test, a_stream_that_is_refused_after_its_status_may_have_been_processed) {
  submit();
  exchange();
  const std::vector<nghttp2_nv> head{field(":status", "503")};
  nghttp2_submit_headers(server.session, NGHTTP2_FLAG_NONE, 1, nullptr, head.data(), head.size(),
                         nullptr);
  exchange();
  EXPECT_TRUE(ended.empty());
  nghttp2_submit_rst_stream(server.session, NGHTTP2_FLAG_NONE, 1, NGHTTP2_REFUSED_STREAM);
  exchange();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].end, stream_end::lost);
  EXPECT_EQ(ended[0].status, 503);
}

TEST_F(client_session_test, an_interim_response_is_no_answer) {
  submit();
  submit();
  submit();
  exchange();
  const std::vector<nghttp2_nv> early_hints{field(":status", "103"), field("retry-after", "9")};
  for (const auto id : {1, 3, 5})
    nghttp2_submit_headers(server.session, NGHTTP2_FLAG_NONE, id, nullptr, early_hints.data(),
                           early_hints.size(), nullptr);
  exchange();
  EXPECT_TRUE(ended.empty());
  nghttp2_submit_rst_stream(server.session, NGHTTP2_FLAG_NONE, 1, NGHTTP2_INTERNAL_ERROR);
  nghttp2_submit_rst_stream(server.session, NGHTTP2_FLAG_NONE, 3, NGHTTP2_REFUSED_STREAM);
  server.respond(5, "200");
  exchange();
  ASSERT_EQ(ended.size(), 3u);
  EXPECT_EQ(ended[0].end, stream_end::lost);
  EXPECT_EQ(ended[0].status, 0);
  EXPECT_EQ(ended[1].end, stream_end::refused);
  EXPECT_EQ(ended[2].end, stream_end::complete);
  EXPECT_EQ(ended[2].status, 200);
  EXPECT_EQ(ended[2].retry_after, "");
}

TEST_F(client_session_test, an_answer_does_not_wait_for_the_rest_of_its_request) {
  const std::string body(200'000, 'x');
  submit(body);
  std::vector<std::uint8_t> bytes;
  client.fill(bytes, 1 << 20);
  // SETTINGS, and HEADERS with `:status: 200` and END_STREAM; never a WINDOW_UPDATE.
  const std::uint8_t answer[] = {0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88};
  ASSERT_TRUE(client.receive(answer));
  bytes.clear();
  client.fill(bytes, 1 << 20);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].end, stream_end::complete);
  EXPECT_EQ(ended[0].status, 200);
  EXPECT_EQ(client.open_streams(), 0u);
}

TEST_F(client_session_test, a_cancelled_stream_ends_once_it_was_written) {
  const auto at = submit();
  exchange();
  EXPECT_TRUE(client.may_have_left(at));
  client.cancel(at);
  EXPECT_TRUE(ended.empty());
  send_to_server();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].end, stream_end::lost);
  EXPECT_EQ(server.resets.at(1), static_cast<std::uint32_t>(NGHTTP2_CANCEL));
  EXPECT_EQ(client.open_streams(), 0u);
}

TEST_F(client_session_test, a_request_cancelled_before_it_was_written_never_leaves) {
  exchange();
  const auto at = submit();
  client.cancel(at);
  exchange();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].end, stream_end::unprocessed);
  EXPECT_TRUE(server.requests.empty());
}

TEST_F(client_session_test, a_ping_is_answered) {
  client.ping();
  exchange();
  exchange();
  EXPECT_EQ(pongs, 1);
}

TEST_F(client_session_test, nonsense_ends_the_session) {
  exchange();
  EXPECT_FALSE(client.is_over());
  const std::string nonsense = "HTTP/1.1 400 Bad Request\r\n\r\n and some more of it";
  client.receive({reinterpret_cast<const std::uint8_t*>(nonsense.data()), nonsense.size()});
  std::vector<std::uint8_t> last_words;
  client.fill(last_words, 1 << 20);
  EXPECT_TRUE(client.is_over());
}

} // namespace
