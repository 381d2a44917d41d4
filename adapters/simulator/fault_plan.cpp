#include "adapters/simulator/fault_plan.hpp"

#include "adapters/simulator/text_hash.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace signalbox::sim {

namespace json = boost::json;

namespace {

constexpr double rounding = 1e-9;
constexpr std::int64_t longest_latency_ms = 10 * 60 * 1000;

using error = std::optional<fault_error>;

error read_bool(std::string_view name, const json::value& value, bool& out) {
  if (!value.is_bool())
    return fault_error{std::string{name}, "must be true or false"};
  out = value.get_bool();
  return {};
}

template <class Int>
error read_integer(std::string_view name, const json::value& value, std::int64_t low,
                   std::int64_t high, Int& out) {
  const auto* number = value.if_int64();
  if (number == nullptr || *number < low || *number > high)
    return fault_error{std::string{name}, "must be an integer from " + std::to_string(low) +
                                            " to " + std::to_string(high)};
  out = static_cast<Int>(*number);
  return {};
}

error read_latency(const json::value& value, fault_settings& next) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  const auto* range = value.if_array();
  if (range == nullptr || range->size() != 2 ||
      read_integer("", (*range)[0], 0, longest_latency_ms, low) ||
      read_integer("", (*range)[1], low, longest_latency_ms, high))
    return fault_error{"latency_ms", "must be [least, most] in milliseconds, up to 600000"};
  next.latency_min = std::chrono::milliseconds{low};
  next.latency_max = std::chrono::milliseconds{high};
  return {};
}

bool parse_answer(std::string_view key, fault& out) {
  if (key.size() < 5 || key[3] != ' ')
    return false;
  const auto [end, failure] = std::from_chars(key.data(), key.data() + 3, out.status);
  out.reason = key.substr(4);
  return failure == std::errc{} && end == key.data() + 3 && out.status >= 400 &&
         out.status <= 599 &&
         std::all_of(out.reason.begin(), out.reason.end(), [](unsigned char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
         });
}

} // namespace

fault_plan::fault_plan(std::uint64_t seed, std::vector<std::string> permanent_reasons)
  : permanent_reasons_{std::move(permanent_reasons)}, random_{seed} {}

std::optional<fault_error> fault_plan::apply(const json::object& members) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  auto next = settings_;
  for (const auto& member : members) {
    const std::string_view name{member.key().data(), member.key().size()};
    const auto& value = member.value();
    error failure;
    if (name == "mix")
      failure = apply_mix(value, next);
    else if (name == "retry_after_s")
      failure = read_integer(name, value, 0, 86'400, next.retry_after_s);
    else if (name == "latency_ms")
      failure = read_latency(value, next);
    else if (name == "stall")
      failure = read_bool(name, value, next.stall);
    else if (name == "goaway_every")
      failure = read_integer(name, value, 0, most, next.goaway_every);
    else if (name == "refuse_every")
      failure = read_integer(name, value, 0, most, next.refuse_every);
    else if (name == "max_streams")
      failure = read_integer(name, value, 0, 1'000'000, next.max_streams);
    else if (name == "warmup")
      failure = read_bool(name, value, next.warmup);
    else if (name == "unique_id")
      failure = read_bool(name, value, next.unique_id);
    else if (name == "token_lifetime_s")
      failure = read_integer(name, value, 1, 1'000'000'000'000, next.token_lifetime_s);
    else if (name == "token_status") {
      failure = read_integer(name, value, 0, 599, next.token_status);
      if (!failure && next.token_status > 0 && next.token_status < 400)
        failure = fault_error{std::string{name}, "must be 0 or from 400 to 599"};
    } else if (name == "token_generation")
      failure = read_integer(name, value, 0, most, next.token_generation);
    else if (name == "unregistered_timestamp_ms") {
      if (value.is_null())
        next.unregistered_timestamp_ms.reset();
      else
        failure = read_integer(name, value, 0, most, next.unregistered_timestamp_ms.emplace());
    } else
      failure = fault_error{std::string{name}, "is not a fault"};
    if (failure)
      return failure;
  }
  settings_ = std::move(next);
  return {};
}

std::optional<fault_error> fault_plan::apply_mix(const json::value& mix,
                                                 fault_settings& next) const {
  const auto* entries = mix.if_object();
  if (entries == nullptr)
    return fault_error{"mix", "must be an object of shares"};
  next.permanent.clear();
  next.transient.clear();
  for (const auto& entry : *entries) {
    const std::string_view key{entry.key().data(), entry.key().size()};
    const auto member = "mix/" + std::string{key};
    fault item;
    if (key == "no-answer")
      item.what = fault::kind::no_answer;
    else if (key == "reset")
      item.what = fault::kind::reset;
    else if (!parse_answer(key, item))
      return fault_error{member, "must be \"STATUS Reason\" (400 to 599), no-answer or reset"};
    json::error_code not_a_number;
    item.share = entry.value().to_number<double>(not_a_number);
    if (not_a_number || !(item.share >= 0 && item.share <= 1))
      return fault_error{member, "must be a share from 0 to 1"};
    const bool permanent = std::find(permanent_reasons_.begin(), permanent_reasons_.end(), key) !=
                           permanent_reasons_.end();
    (permanent ? next.permanent : next.transient).push_back(std::move(item));
  }
  const auto rank = [this](const fault& item) {
    return std::find(permanent_reasons_.begin(), permanent_reasons_.end(),
                     std::to_string(item.status) + " " + item.reason);
  };
  std::sort(next.permanent.begin(), next.permanent.end(),
            [&](const fault& a, const fault& b) { return rank(a) < rank(b); });
  for (const auto* group : {&next.permanent, &next.transient}) {
    double sum = 0;
    for (const auto& item : *group)
      sum += item.share;
    if (sum > 1 + rounding)
      return fault_error{"mix", group == &next.permanent
                                  ? "the shares of faults that name the token exceed 1"
                                  : "the shares of faults per request exceed 1"};
  }
  return {};
}

namespace {

const fault* pick(const std::vector<fault>& faults, double at) {
  double upper = 0;
  for (const auto& item : faults) {
    upper += item.share;
    if (at < upper)
      return &item;
  }
  return nullptr;
}

} // namespace

const fault* fault_plan::permanent_fault(std::string_view token) const {
  return settings_.permanent.empty() ? nullptr : pick(settings_.permanent, text_fraction(token));
}

const fault* fault_plan::draw_transient() {
  if (settings_.transient.empty())
    return nullptr;
  return pick(settings_.transient, static_cast<double>(random_() >> 11) * 0x1p-53);
}

std::chrono::milliseconds fault_plan::draw_latency() {
  const auto spread =
    static_cast<std::uint64_t>((settings_.latency_max - settings_.latency_min).count());
  if (spread == 0)
    return settings_.latency_min;
  return settings_.latency_min + std::chrono::milliseconds{random_() % (spread + 1)};
}

} // namespace signalbox::sim
