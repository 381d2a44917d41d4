#pragma once

#include "adapters/payload/json_draft.hpp"
#include "adapters/payload/json_text.hpp"
#include "messages/payload_refusal.hpp"
#include "messages/result.hpp"

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// What a job carries for renderers: the members of the JSON object in `job_context::payload`, as
/// texts (json_text.hpp). The payload outlives it. Pure.
class push_content {
public:
  /// Fails with errc::invalid when the payload is not what messages/job.hpp promises.
  static result<push_content> parse(std::string_view payload);

  /// A member as JSON; empty when it is absent or null.
  std::string_view json_of(std::string_view name) const;
  /// An object member as JSON; else empty.
  std::string_view object_of(std::string_view name) const;
  /// What a text member says; else empty.
  std::string text_of(std::string_view name) const;
  /// Whether there is a member of this name that is true.
  bool is_set(std::string_view name) const { return json_of(name) == "true"; }
  bool is_silent() const { return is_set("silent"); }

  /// Copies a member under a new name unless it is absent or null.
  void copy(std::string_view name, json_draft& to, std::string_view new_name) const;

  /// Which of these members takes most of the payload.
  std::string_view largest(std::initializer_list<std::string_view> names) const;

private:
  std::vector<json_member> members_;
};

/// The pointer of a Live Activity's content-state, which stands beside `new_job::payload`.
inline constexpr std::string_view content_state_pointer = "/content_state";

/// What the node keeps of a job's payload at most: more than any provider takes of it.
inline constexpr std::size_t payload_limit_bytes = 64 * 1024;

/// Why a payload (as in `new_job::payload`) is not kept: it is over the limit.
std::optional<payload_refusal> check_payload_size(std::string_view payload);

} // namespace signalbox
