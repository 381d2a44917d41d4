#include "runtime/settings.hpp"

#include "adapters/io/text_file.hpp"
#include "runtime/service_link.hpp"
#include "runtime/settings_rules.hpp"
#include "runtime/settings_table.hpp"
#include "runtime/start_rules.hpp"
#include "runtime/suggestion.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <unistd.h>
#include <utility>

namespace signalbox {

namespace {

constexpr std::string_view variable_prefix = "SIGNALBOX_";
constexpr auto environment_source = "environment";

/// Groups of CAF that a person might look for here; the node sets them by itself.
constexpr std::string_view caf_groups[] = {"middleman",     "logger",  "stream",
                                           "work-stealing", "openssl", "opencl"};

bool is_lane_name(std::string_view name) {
  constexpr std::size_t longest = 32;
  return name.size() <= longest && name[0] >= 'a' && name[0] <= 'z' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

bool inside(std::string_view path, std::string_view group) {
  return path.size() > group.size() && path.starts_with(group) && path[group.size()] == '.';
}

std::string group_of(const std::string& name) {
  return name.substr(0, name.rfind('.'));
}

/// A row for one lane, or for the node: what one name in a file stands for.
struct slot {
  const setting* row;
  std::size_t lane; ///< index; of no meaning to rows of the node
  std::string name;
  std::string origin = "default";
};

/// Where in the file a name stands, if it does.
struct place {
  std::string source;
  std::size_t line = 0;
};

class loader {
public:
  loader(std::string source, const environment_variables& environment)
    : source_(std::move(source)), environment_(environment) {}

  loaded_settings run(config_file file) {
    for (auto& error : file.errors)
      unsure_.insert(group_of(error.key));
    result_.errors = std::move(file.errors);
    for (auto& group : file.groups)
      add_lane(group);
    list_slots();
    for (auto& group : file.groups)
      check_group(group);
    for (auto& entry : file.entries)
      apply(entry);
    std::stable_sort(result_.errors.begin(), result_.errors.end(),
                     [](auto& x, auto& y) { return x.line < y.line; });
    for (auto& [name, value] : environment_) {
      if (!name.starts_with(variable_prefix))
        continue;
      if (is_service_link(name, value))
        result_.warnings.push_back(
          {environment_source, 0, name, "looks like the link of a Kubernetes Service; ignored"});
      else
        apply(name, value);
    }
    check_together();
    for (auto& slot : slots_)
      result_.effective.push_back({slot.name, to_config_text(value(slot)), slot.origin});
    return std::move(result_);
  }

private:
  void fail(std::size_t line, std::string key, std::string text) {
    result_.errors.push_back({source_, line, std::move(key), std::move(text)});
  }

  /// An error about a setting: it stands where its value comes from.
  void fail(const std::string& key, std::string text) {
    auto where = places_.find(key);
    auto [source, line] = where == places_.end() ? place{source_} : where->second;
    result_.errors.push_back({source, line, key, std::move(text)});
  }

  /// Checks values against each other, except in groups where one was refused: there, defaults
  /// stand that nobody chose.
  void check_together() {
    for (auto& [key, text] : check_rules(result_.settings))
      if (!unsure_.contains(group_of(key)))
        fail(key, text);
  }

  setting_value value(const slot& slot) const {
    return slot.row->get(result_.settings, result_.settings.lanes[slot.lane]);
  }

  void add_lane(const config_group& group) {
    constexpr std::string_view prefix = "lane.";
    if (!inside(group.path, "lane") || group.path.find('.', prefix.size()) != std::string::npos)
      return;
    auto name = group.path.substr(prefix.size());
    auto& lanes = result_.settings.lanes;
    if (std::any_of(lanes.begin(), lanes.end(), [&](auto& lane) { return lane.name == name; }))
      return;
    if (!is_lane_name(name))
      fail(group.line, group.path,
           "a lane's name is up to 32 small letters, digits and dashes, beginning with a letter");
    lanes.emplace_back().name = name;
  }

  void list_slots() {
    auto& lanes = result_.settings.lanes;
    auto first_of_lanes = true;
    for (auto& row : settings_table()) {
      if (!row.of_lanes())
        slots_.push_back({&row, 0, std::string{row.name}});
      else if (std::exchange(first_of_lanes, false))
        for (std::size_t lane = 0; lane < lanes.size(); ++lane)
          for (auto& of_lane : settings_table())
            if (of_lane.of_lanes())
              slots_.push_back({&of_lane, lane, of_lane.full_name(lanes[lane])});
    }
    groups_.insert("lane");
    for (auto& slot : slots_) {
      names_.push_back(slot.name);
      groups_.insert(group_of(slot.name));
    }
  }

  slot* find(std::string_view name) {
    auto match =
      std::find_if(slots_.begin(), slots_.end(), [&](auto& x) { return x.name == name; });
    return match == slots_.end() ? nullptr : &*match;
  }

  void check_group(const config_group& group) {
    if (groups_.contains(group.path) || in_refused_group(group.path))
      return;
    refused_.push_back(group.path);
    if (find(group.path) != nullptr)
      fail(group.line, group.path, "this is a setting, not a group; write a value behind =");
    else if (std::find(std::begin(caf_groups), std::end(caf_groups), group.path) !=
             std::end(caf_groups))
      fail(group.line, group.path, "this group of CAF is set by the node and cannot be configured");
    else
      fail(group.line, group.path,
           "unknown group" + did_you_mean(group.path, {groups_.begin(), groups_.end()}));
  }

  bool in_refused_group(std::string_view path) const {
    return std::any_of(refused_.begin(), refused_.end(),
                       [&](auto& group) { return inside(path, group); });
  }

  void apply(const config_entry& entry) {
    if (in_refused_group(entry.path))
      return;
    auto* target = find(entry.path);
    std::string why;
    if (target == nullptr) {
      if (groups_.contains(entry.path))
        why = "this is a group, not a setting; write { ... } behind it";
      else if (entry.path == "scheduler.policy")
        why = "the node always uses 'sharing'; leave this out";
      else
        why = "unknown setting" + did_you_mean(entry.path, names_);
      fail(entry.line, entry.path, why);
    } else if (auto value = check_value(target->row->range, entry.value, why)) {
      auto origin = source_ + ":" + std::to_string(entry.line);
      set(*target, *value, {source_, entry.line}, origin);
    } else {
      unsure_.insert(group_of(entry.path));
      fail(entry.line, entry.path, why);
    }
  }

  void apply(const std::string& variable, const std::string& text) {
    std::vector<slot*> targets;
    for (auto& slot : slots_)
      if (environment_name(slot.name) == variable)
        targets.push_back(&slot);
    std::string why;
    if (targets.empty()) {
      std::vector<std::string> variables;
      for (auto& name : names_)
        variables.push_back(environment_name(name));
      why =
        "unknown setting, or of a lane that is not configured" + did_you_mean(variable, variables);
    } else if (targets.size() > 1) {
      why = "stands for both " + targets[0]->name + " and " + targets[1]->name +
            "; use the configuration file or rename the lane";
    } else if (auto value = check_text(targets[0]->row->range, text, why)) {
      set(*targets[0], *value, {environment_source}, environment_source);
      return;
    } else {
      unsure_.insert(group_of(targets[0]->name));
    }
    result_.errors.push_back({environment_source, 0, variable, why});
  }

  void set(slot& target, const setting_value& value, place place, std::string origin) {
    auto& settings = result_.settings;
    target.row->set(settings, settings.lanes[target.lane], value);
    target.origin = std::move(origin);
    places_[target.name] = std::move(place);
  }

  std::string source_;
  const environment_variables& environment_;
  std::vector<slot> slots_;
  std::vector<std::string> names_;
  std::set<std::string> groups_;
  std::vector<std::string> refused_; ///< groups reported already, with all that is inside
  std::map<std::string, place> places_;
  std::set<std::string> unsure_; ///< groups with a value that was refused
  loaded_settings result_;
};

} // namespace

environment_variables process_environment() {
  environment_variables result;
  for (auto* variable = environ; *variable != nullptr; ++variable) {
    std::string_view text = *variable;
    auto assigned = text.find('=');
    if (text.starts_with(variable_prefix) && assigned != std::string_view::npos)
      result.emplace(text.substr(0, assigned), text.substr(assigned + 1));
  }
  return result;
}

loaded_settings parse_settings(std::string_view text, const std::string& source,
                               const environment_variables& environment) {
  return loader{source, environment}.run(scan_config(text, source));
}

loaded_settings load_settings(const std::optional<std::filesystem::path>& file,
                              const environment_variables& environment) {
  if (!file)
    return parse_settings("", "defaults", environment);
  std::string why;
  auto text = read_text_file(*file, why);
  auto result = parse_settings(text.value_or(""), file->string(), environment);
  if (!text)
    result.errors.insert(result.errors.begin(), {file->string(), 0, "", "cannot be read: " + why});
  return result;
}

namespace {

/// What is no setting is a variable.
std::vector<config_error> with_origins(const loaded_settings& loaded,
                                       const std::vector<broken_rule>& broken) {
  std::vector<config_error> result;
  for (auto& [key, text] : broken) {
    auto setting = std::find_if(loaded.effective.begin(), loaded.effective.end(),
                                [&, name = key](auto& x) { return x.name == name; });
    const bool is_setting = setting != loaded.effective.end();
    result.push_back({is_setting ? setting->origin : environment_source, 0, key, text});
  }
  return result;
}

} // namespace

std::vector<config_error> check_start(const loaded_settings& loaded) {
  return with_origins(loaded, check_start_rules(loaded.settings));
}

std::vector<config_error> warn_of_files(const loaded_settings& loaded) {
  return with_origins(loaded, files_open_to_others(loaded.settings));
}

} // namespace signalbox
