#pragma once

#include "messages/answer.hpp"
#include "messages/work.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace signalbox {

/// The targets that wait for a stream to one destination, and the answers that wait to be handed
/// over. Works are served in turn, a slice at a time, so that a big job does not hold up a small
/// one. Pure bookkeeping; not thread-safe.
///
/// Every target that was pushed is answered exactly once: what `next` hands out has to come back
/// through `accept`, `refuse` or `resend`.
class work_queue {
public:
  using clock = std::chrono::steady_clock;

  /// A work with targets that wait or are under way. Stays where it is until its last answer has
  /// been taken.
  class active_work {
  public:
    const work_ptr& of() const { return of_; }
    /// What a request writer keeps for all requests of the work.
    std::shared_ptr<const void> rendered;

  private:
    friend class work_queue;
    struct range {
      std::uint32_t next;
      std::uint32_t end;
      clock::time_point since;
    };
    struct second_try {
      std::uint32_t position;
      std::uint8_t tries;
      clock::time_point since;
    };
    bool waits() const { return !again_.empty() || !ranges_.empty(); }

    work_ptr of_;
    std::vector<second_try> again_;
    std::vector<range> ranges_;
    std::size_t under_way_ = 0;
    bool in_turn_ = false;
    bool has_answers_ = false;
    answer_batch answers_;
  };

  struct pick {
    active_work* from = nullptr;
    std::uint32_t position = 0;
    std::uint8_t tries = 0; ///< before this one, inside the transport
  };

  explicit work_queue(std::size_t slice = 64) : slice_{slice} {}

  void push(const work_ptr& of, std::uint32_t first, std::uint32_t count, clock::time_point now);

  /// Targets that wait for a stream.
  std::size_t waiting() const { return waiting_; }
  /// Targets that were handed out and not answered yet.
  std::size_t under_way() const { return under_way_; }

  /// The next target to send; `waiting` must be above 0.
  pick next();

  void accept(active_work& from, std::uint32_t position);
  /// Any other answer; its position is set.
  void refuse(active_work& from, answer other);
  /// It was not sent: back to the front of its work.
  void resend(const pick& unsent, clock::time_point now);

  /// Answers what has waited since `before` or longer as unsent, with this text.
  void give_up(clock::time_point before, std::string_view why);

  /// Answers what of one work waits as unsent, with this text.
  void withdraw(const work& of, std::string_view why);

  bool has_answers() const { return !answered_.empty(); }
  /// Moves the answers since the last call to the end of `out`, a batch for each work.
  void take_answers(std::vector<answer_batch>& out);

private:
  void enqueue(active_work& of);
  void refuse_waiting(active_work& of, clock::time_point before, std::string_view why);
  void mark_answered(active_work& of);

  std::size_t slice_;
  std::size_t left_in_slice_ = 0;
  std::size_t waiting_ = 0;
  std::size_t under_way_ = 0;
  std::unordered_map<const work*, std::unique_ptr<active_work>> works_;
  std::deque<active_work*> turns_;
  std::vector<active_work*> answered_;
};

} // namespace signalbox
