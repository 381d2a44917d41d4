#include "runtime/settings_text.hpp"

#include "runtime/settings_table.hpp"

#include <algorithm>

namespace signalbox {

namespace {

std::vector<std::string> split(std::string_view name) {
  std::vector<std::string> result(1);
  for (auto c : name)
    if (c == '.')
      result.emplace_back();
    else
      result.back() += c;
  return result;
}

std::string_view group_of(std::string_view name) {
  return name.substr(0, name.rfind('.'));
}

std::string default_text(const setting& row) {
  const node_settings defaults;
  if (row.name == "lane.*.kind")
    return "`\"push\"`; of `live-activity` its own";
  return "`" + to_config_text(row.get(defaults, defaults.lanes.front())) + "`";
}

std::string range_text(const setting& row) {
  auto result = to_string(row.range);
  for (auto prefix : {"an ", "a "})
    if (result.starts_with(prefix))
      result.erase(0, std::string_view{prefix}.size());
  return result;
}

std::string environment_text(const setting& row) {
  std::string name{row.name};
  if (auto star = name.find('*'); star != std::string::npos)
    name.replace(star, 1, "push");
  return environment_name(name);
}

constexpr std::string_view introduction = R"(# Settings

<!-- Made from the table in runtime/settings_table.cpp by `signalboxd --settings-markdown`. -->

A node takes its settings from an actor configuration file, `signalboxd --config-file=FILE`, and from
the environment, which wins. `signalboxd --check-config` reports every mistake in both, with the
line and the name; `--dump-config` prints the values that are in effect and where each comes from.

```
; a comment begins with a semicolon
http {
  port = 8080                 ; integers have no unit
  address = "127.0.0.1"       ; strings, choices and paths stand in double quotes
  idle-timeout = 60s          ; durations: ns, us, ms, s, min, h
  max-body = "1MiB"           ; sizes: bytes, or quoted with KiB, MiB or GiB
  hosts = ["push", "push.example.com"] ; lists stand in brackets, with commas between
}
store { path = "signalbox.db" }
lane {
  push { masters = 2, senders = 4 }
  bulk { kind = "push" }      ; one more lane
}
```

The syntax is that of the C++ Actor Framework, without section headers: groups stand in braces and
inside each other, names have no dots, settings are parted by lines or, inside a group, by commas. A
name that is unknown or repeated, a value of another kind, without its unit or out of its range, and
a brace that is missing are errors.

In the environment, strings have no quotes, `SIGNALBOX_HTTP_ADDRESS=::1`, and lists no brackets either:
`SIGNALBOX_HTTP_HOSTS=push,push.example.com`. An empty one is an empty list. Relative paths are relative
to the working directory. *Reload*: meant to change on a running node. For now every change takes a
restart; SIGHUP only reads the files of `apns.key-file` and `fcm.service-account-file`, and opens `log.file`,
again.
)";

constexpr std::string_view lanes_text = R"(
These apply to each lane; `*` is its name. `push` and `live-activity` exist without being configured; a
group with another name, up to 32 small letters, digits and dashes, makes one more lane. The names of
the environment are shown for `push`; `live-activity` is `SIGNALBOX_LANE_LIVE_ACTIVITY_...`.
)";

} // namespace

std::string to_text(const std::vector<config_error>& errors) {
  std::string result;
  for (auto& error : errors)
    result += to_string(error) + "\n";
  return result;
}

std::string dump_settings(const loaded_settings& loaded) {
  std::string result;
  std::vector<std::string> open;
  auto indent = [&] { return std::string(open.size() * 2, ' '); };
  auto close_to = [&](std::size_t depth) {
    while (open.size() > depth) {
      open.pop_back();
      result += indent() + "}\n";
    }
  };
  for (auto& [name, value, origin] : loaded.effective) {
    auto groups = split(name);
    auto key = groups.back();
    groups.pop_back();
    auto [differs, stop] = std::mismatch(open.begin(), open.end(), groups.begin(), groups.end());
    close_to(static_cast<std::size_t>(differs - open.begin()));
    while (open.size() < groups.size()) {
      result += indent() + groups[open.size()] + " {\n";
      open.push_back(groups[open.size()]);
    }
    result += indent() + key + " = " + value + " ; " + origin + "\n";
  }
  close_to(0);
  return result;
}

std::string settings_markdown() {
  std::string result{introduction};
  std::string_view group;
  for (auto& row : settings_table()) {
    if (group_of(row.name) != group) {
      group = group_of(row.name);
      result += "\n## " + std::string{group} + "\n";
      if (row.of_lanes())
        result += lanes_text;
      result += "\n| Setting, environment | Value | Default | Reload | Meaning |\n"
                "|---|---|---|---|---|\n";
    }
    result += "| `" + std::string{row.name} + "`<br>`" + environment_text(row) + "` | " +
              range_text(row) + " | " + default_text(row) + " | " +
              (row.reloadable ? "yes" : "no") + " | " + std::string{row.text} + " |\n";
  }
  return result;
}

} // namespace signalbox
