#include "adapters/store/sqlite/loading.hpp"

#include "actors/job_states.hpp"
#include "adapters/store/sqlite/activity_targets.hpp"
#include "adapters/store/sqlite/open_chunk.hpp"
#include "adapters/store/sqlite/states.hpp"
#include "adapters/store/sqlite/turns.hpp"

#include <algorithm>
#include <memory>
#include <string_view>

namespace signalbox::sqlite {

namespace {

// Members that a range passes by in a row before a look-up of the next target is cheaper.
constexpr int most_passed = 8;

struct wanted {
  token_id id = 0;
  std::uint32_t position = 0;
  std::uint16_t attempts = 0;
  bool is_sent = false;
};

class loader {
public:
  loader(connection& database, const job_facts& facts, job_number job, timestamp now,
         pool_code pool, work& into)
    : database_{database}, facts_{facts}, job_{job}, now_{now}, pool_{pool}, into_{into} {}

  // `targets` by ascending id.
  void load(const std::vector<wanted>& targets) {
    into_.targets.reserve(targets.size());
    into_.text.reserve(targets.size() * 65);
    if (facts_.scope == scope_kind::topic)
      load_topic(targets);
    else if (facts_.scope == scope_kind::activity)
      load_activity(targets);
    else
      for (const auto& one : targets)
        load_one(one);
    const auto by_index = [](const auto& a, const auto& b) { return a.index < b.index; };
    if (!std::is_sorted(into_.targets.begin(), into_.targets.end(), by_index))
      std::sort(into_.targets.begin(), into_.targets.end(), by_index);
  }

private:
  void add(const wanted& one, std::string_view token) {
    into_.targets.push_back({one.id, one.position, static_cast<std::uint32_t>(into_.text.size()),
                             static_cast<std::uint16_t>(token.size()), one.attempts});
    into_.text += token;
  }

  void skip(const wanted& one, std::string reason) {
    into_.settled.push_back({one.id, one.position, std::move(reason)});
  }

  void load_one(const wanted& one) {
    auto found = database_.query("SELECT token, invalidated_at IS NULL, "
                                 "platform * 16 + environment FROM tokens WHERE id = ?",
                                 one.id);
    if (!found.next() || found.integer(2) != pool_)
      return skip(one, "deleted");
    if (found.integer(1) == 0)
      return skip(one, "invalidated");
    add(one, found.text(0));
  }

  void load_activity(const std::vector<wanted>& targets) {
    activity_audience audience{database_, job_, now_};
    const auto whose = overtaken_in(database_, job_, pool_, into_.kind);
    for (const auto& one : targets) {
      if (whose == overtaken::all ||
          (whose == overtaken::bound && audience.is_bound(one.id, pool_))) {
        skip(one, "superseded");
        continue;
      }
      const auto found = audience.look_at(one.id, pool_);
      if (found.reason.empty())
        add(one, found.token);
      else
        skip(one, std::string{found.reason});
    }
  }

  void load_topic(const std::vector<wanted>& targets) {
    if (!topic_exists()) { // its members are still being removed
      for (const auto& one : targets)
        skip_of_topic(one);
      return;
    }
    if (into_.kind == work_kind::retry) { // few in a wide range
      for (const auto& one : targets)
        load_one_of_topic(one);
      return;
    }
    for (std::size_t at = 0; at < targets.size();)
      at = load_run(targets, at);
    for (const auto& one : missing_)
      skip_of_topic(one);
  }

  // What planning cuts into a chunk are neighbours in their topic: one range holds them all, and
  // little else. A replay's are wherever its letters were: where members come between that were not
  // asked for, the next range begins behind them. The place of the first target that is left.
  std::size_t load_run(const std::vector<wanted>& targets, std::size_t at) {
    auto found = database_.query(
      "SELECT m.token, t.token FROM topic_tokens m CROSS JOIN tokens t ON t.id = m.token "
      "WHERE m.topic = ?1 AND m.pool = ?2 AND m.token BETWEEN ?3 AND ?4 ORDER BY m.token",
      *facts_.scope_id, pool_, targets[at].id, targets.back().id);
    bool has_row = found.next();
    for (; at < targets.size(); ++at) {
      const auto& one = targets[at];
      for (int passed = 0; has_row && found.integer(0) < one.id; ++passed) {
        if (passed == most_passed)
          return at;
        has_row = found.next();
      }
      if (has_row && found.integer(0) == one.id)
        add(one, found.text(1));
      else
        missing_.push_back(one);
    }
    return at;
  }

  bool topic_exists() {
    return database_.value("SELECT 1 FROM topics WHERE id = ?", facts_.scope_id).has_value();
  }

  void load_one_of_topic(const wanted& one) {
    auto found = database_.query("SELECT t.token FROM topic_tokens m CROSS JOIN tokens t "
                                 "ON t.id = m.token WHERE m.topic = ? AND m.pool = ? "
                                 "AND m.token = ?",
                                 facts_.scope_id, pool_, one.id);
    if (found.next())
      add(one, found.text(0));
    else
      skip_of_topic(one);
  }

  void skip_of_topic(const wanted& one) {
    auto found = database_.query("SELECT invalidated_at IS NULL FROM tokens WHERE id = ?", one.id);
    if (!found.next())
      skip(one, "deleted");
    else
      skip(one, found.integer(0) == 0 ? "invalidated" : "unsubscribed");
  }

  connection& database_;
  const job_facts& facts_;
  job_number job_;
  timestamp now_;
  pool_code pool_;
  work& into_;
  std::vector<wanted> missing_;
};

// The targets of the chunk that have no outcome yet; none if the lease is gone.
std::vector<wanted> read_chunk(connection& database, const claimed_work& claimed) {
  auto found =
    database.query("SELECT ids, targets, done, sent FROM chunks WHERE job = ? AND seq = ? "
                   "AND status = 2 AND epoch = ?",
                   claimed.job, claimed.key.seq, claimed.epoch);
  if (!found.next())
    return {};
  const auto open = open_targets(found);
  if (!open)
    throw failure{0, "the target list of a chunk is damaged"};
  std::vector<wanted> left;
  left.reserve(open->size());
  for (const auto& one : *open)
    left.push_back({one.id, one.position, 0, one.is_sent});
  return left;
}

job_status status_of(connection& database, job_number job) {
  return static_cast<job_status>(
    database.value("SELECT status FROM jobs WHERE n = ?", job).value_or(0));
}

} // namespace

job_facts load_job_facts(connection& database, shared_state& shared, job_number job) {
  if (auto known = shared.facts.find(job))
    return std::move(*known);
  auto found =
    database.query("SELECT id, app, payload, ttl, expires_at, receipts, on_unknown, created_at, "
                   "not_before, scope_kind, scope_id FROM jobs WHERE n = ?",
                   job);
  if (!found.next())
    throw failure{0, "a chunk refers to a job that does not exist"};
  auto context = std::make_shared<job_context>();
  context->id = found.id(0);
  context->app = found.integer(1);
  context->payload = found.text(2);
  if (const auto ttl = found.optional_integer(3))
    context->options.ttl = std::chrono::seconds{*ttl};
  context->options.expires_at = found.optional_time(4);
  context->options.receipts = found.as<receipts_policy>(5);
  context->options.on_unknown = found.as<unknown_policy>(6);
  context->created_at = found.time(7);
  context->not_before = found.optional_time(8);
  if (found.as<scope_kind>(9) == scope_kind::activity)
    context->activity = read_event(database, job);
  job_facts facts{std::move(context), found.as<scope_kind>(9), found.optional_integer(10)};
  shared.facts.put(job, facts);
  return facts;
}

std::shared_ptr<work> load_work(connection& database, shared_state& shared,
                                const claimed_work& claimed,
                                boot_clock::time_point lease_deadline) {
  std::vector<wanted> targets;
  if (claimed.kind == work_kind::chunk) {
    targets = read_chunk(database, claimed);
  } else {
    for (const auto& [one, pack] : claimed.retries)
      targets.push_back({one.token, one.position, one.attempts, one.is_sent});
    std::sort(targets.begin(), targets.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
  }
  if (targets.empty())
    return nullptr;
  const auto facts = load_job_facts(database, shared, claimed.job);
  auto loaded = std::make_shared<work>();
  loaded->kind = claimed.kind;
  loaded->key = claimed.key;
  loaded->epoch = claimed.epoch;
  loaded->dest = claimed.dest;
  loaded->job = facts.context;
  loaded->lease_deadline = lease_deadline;
  const auto unsent = std::stable_partition(targets.begin(), targets.end(),
                                            [](const auto& one) { return one.is_sent; });
  for (auto one = targets.begin(); one != unsent; ++one)
    loaded->settled.push_back({one->id, one->position, "no_answer", outcome_status::unknown});
  targets.erase(targets.begin(), unsent);
  if (targets.empty())
    return loaded;
  if (const auto status = status_of(database, claimed.job); is_terminal(status)) {
    for (const auto& one : targets)
      loaded->settled.push_back({one.id, one.position, std::string{end_reason(status)}});
    return loaded;
  }
  loader{
    database, facts, claimed.job, shared.now(), pool_of(claimed.dest.provider, claimed.dest.env),
    *loaded}
    .load(targets);
  return loaded;
}

} // namespace signalbox::sqlite
