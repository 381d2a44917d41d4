#pragma once

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <map>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <utility>

namespace signalbox::http {

/// An answer as a client sees it; field names in lower case.
struct raw_answer {
  int status = 0;
  std::map<std::string, std::string> fields;
  std::string body;
};

/// A client that sends exactly the bytes a test gives it, on loopback.
class raw_client {
public:
  explicit raw_client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    timeval limit{60, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0;
  }
  raw_client(raw_client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_),
      buffer_(std::move(other.buffer_)) {}
  raw_client& operator=(raw_client&&) = delete;
  ~raw_client() { hang_up(); }

  bool connected() const { return connected_; }

  void hang_up() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }

  void end_sending() { ::shutdown(fd_, SHUT_WR); }

  /// False when the peer no longer takes bytes.
  bool send(std::string_view text) {
    while (!text.empty()) {
      auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  /// The next answer, interim ones included; none at the end of the stream. `no_body`: to HEAD.
  std::optional<raw_answer> receive(bool no_body = false) {
    auto end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == buffer_.npos)
      if (!fill())
        return std::nullopt;
    raw_answer answer;
    std::string_view head{buffer_.data(), end + 2};
    answer.status = std::stoi(std::string{head.substr(9, 3)});
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.empty()) {
      auto line = head.substr(0, head.find("\r\n"));
      head.remove_prefix(line.size() + 2);
      auto colon = line.find(':');
      std::string name{line.substr(0, colon)};
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      answer.fields[name] = std::string{line.substr(colon + 2)};
    }
    buffer_.erase(0, end + 4);
    if (no_body || answer.fields.count("content-length") == 0)
      return answer;
    auto size = std::stoul(answer.fields["content-length"]);
    while (buffer_.size() < size)
      if (!fill())
        return std::nullopt;
    answer.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return answer;
  }

  std::optional<raw_answer> ask(std::string_view text) {
    return send(text) ? receive() : std::nullopt;
  }

  /// What comes next, so many bytes of it; fewer at the end of the stream.
  std::string take(std::size_t bytes) {
    while (buffer_.size() < bytes && fill()) {
    }
    auto taken = buffer_.substr(0, bytes);
    buffer_.erase(0, taken.size());
    return taken;
  }

  /// Whether the server has closed the connection already; does not wait for it.
  bool is_closed() const {
    char byte = 0;
    const auto n = ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
  }

  /// Whether an answer, or the end of the stream, has come already.
  bool is_readable() const {
    char byte = 0;
    return ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
  }

  /// Whether the server closed the connection and nothing is left to read.
  bool at_end() { return buffer_.empty() && !fill(); }

private:
  bool fill() {
    char bytes[16384];
    auto n = ::recv(fd_, bytes, sizeof(bytes), 0);
    if (n > 0)
      buffer_.append(bytes, static_cast<std::size_t>(n));
    return n > 0;
  }

  int fd_;
  bool connected_ = false;
  std::string buffer_;
};

} // namespace signalbox::http
