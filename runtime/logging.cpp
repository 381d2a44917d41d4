#include "runtime/logging.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string_view>
#include <system_error>
#include <utility>

namespace signalbox {

namespace {

// The event's own fields, which are logfmt, as one escaped JSON string.
class json_text : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    for (const char c : message.payload) {
      if (c == '"' || c == '\\') {
        out.push_back('\\');
        out.push_back(c);
      } else if (static_cast<unsigned char>(c) < 0x20) {
        out.push_back(' ');
      } else {
        out.push_back(c);
      }
    }
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<json_text>();
  }
};

/// spdlog's own file sink cannot open its file again without closing it first.
class log_file final : public spdlog::sinks::base_sink<std::mutex> {
public:
  explicit log_file(std::string name) : name_{std::move(name)} {}

  /// Answers what is wrong, or nothing.
  std::string open() {
    file opened{std::fopen(name_.c_str(), "ae"), &std::fclose};
    if (!opened)
      return std::generic_category().message(errno);
    const std::lock_guard lock{mutex_};
    file_ = std::move(opened);
    return {};
  }

  const std::string& name() const { return name_; }

private:
  using file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    std::fwrite(line.data(), 1, line.size(), file_.get()); // a full disk must not end the node
  }

  void flush_() override { std::fflush(file_.get()); }

  const std::string name_;
  file file_{nullptr, &std::fclose};
};

std::shared_ptr<log_file> the_log_file;

spdlog::level::level_enum level_of(node_settings::log_group::level_name name) {
  using level = node_settings::log_group::level_name;
  switch (name) {
  case level::trace:
    return spdlog::level::trace;
  case level::debug:
    return spdlog::level::debug;
  case level::info:
    return spdlog::level::info;
  case level::warn:
    return spdlog::level::warn;
  case level::error:
    return spdlog::level::err;
  }
  return spdlog::level::info;
}

} // namespace

std::string start_logging(const node_settings::log_group& settings) {
  spdlog::sink_ptr sink;
  if (settings.file.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    the_log_file = std::make_shared<log_file>(settings.file.string());
    if (const auto error = the_log_file->open(); !error.empty())
      return "log.file: " + settings.file.string() + " cannot be written: " + error;
    sink = the_log_file;
  }
  auto logger = std::make_shared<spdlog::logger>("signalbox", std::move(sink));
  logger->set_level(level_of(settings.level));
  logger->flush_on(spdlog::level::warn);
  if (settings.format == node_settings::log_group::format_name::json) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    formatter->add_flag<json_text>('*').set_pattern(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","text":"%*"})");
    logger->set_formatter(std::move(formatter));
  } else {
    logger->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc);
  }
  spdlog::set_default_logger(std::move(logger));
  spdlog::flush_every(std::chrono::seconds{1});
  return {};
}

void reopen_log() {
  if (!the_log_file)
    return;
  spdlog::default_logger()->flush();
  if (const auto error = the_log_file->open(); !error.empty())
    spdlog::error("event=log_not_reopened file={} error={:?}", the_log_file->name(), error);
}

} // namespace signalbox
