#include "adapters/http2/delivery_loop.hpp"

#include "adapters/http2/client_context.hpp"
#include "adapters/io/event_loop.hpp"
#include "adapters/io/thread_error.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>

#include <map>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

namespace signalbox {

namespace asio = boost::asio;

namespace {

answer_batch all_unsent(work_ptr of, std::uint32_t first, std::uint32_t count,
                        std::string_view why) {
  answer_batch batch;
  batch.others.resize(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    batch.others[i].position = first + i;
    batch.others[i].kind = answer_kind::unsent;
    batch.others[i].reason = why;
  }
  batch.of = std::move(of);
  return batch;
}

} // namespace

class delivery_loop::core : public std::enable_shared_from_this<core> {
  struct submission {
    work_ptr of;
    std::uint32_t first;
    std::uint32_t count;
    bool is_withdrawal;
  };

public:
  explicit core(delivery_loop_options options)
    : options_{std::move(options)}, context_{make_client_context(options_.ca_file)} {
    prepare_loop(io_);
  }

  void start() {
    thread_ =
      std::thread{[self = shared_from_this()] { run_loop(self->io_, self->options_.thread_name); }};
  }

  void shut_down() {
    io_.stop();
    if (thread_.get_id() == std::this_thread::get_id())
      thread_.detach();
    else
      thread_.join();
  }

  void on_answers(std::function<void(std::vector<answer_batch>)> sink) { sink_ = std::move(sink); }

  void submit(work_ptr of, std::uint32_t first, std::uint32_t count) {
    post_in({std::move(of), first, count, false});
  }

  void withdraw(work_ptr of) { post_in({std::move(of), 0, 0, true}); }

  void post_in(submission arrived) {
    std::lock_guard lock{mutex_};
    inbox_.push_back(std::move(arrived));
    if (!std::exchange(inbox_posted_, true))
      asio::post(io_, [this] { take_inbox(); });
  }

  void stop(std::function<void()> done) {
    asio::post(io_, [this, done = std::move(done)]() mutable {
      waiting_for_stop_.push_back(std::move(done));
      if (!std::exchange(stopping_, true))
        for (auto& [dest, pool] : pools_)
          pool->stop(stop_reason);
      deliver_later();
    });
  }

  void reconfigure(app_id app) {
    asio::post(io_, [this, app] {
      for (auto& [dest, pool] : pools_)
        if (dest.app == app && !stopping_)
          configure(dest, *pool);
    });
  }

  const pool_stats& stats() const { return stats_; }

private:
  static constexpr std::string_view stop_reason = "stopping";
  static constexpr std::string_view no_pool = "no connection";

  void configure(const destination& dest, delivery_pool& pool) {
    if (auto setup = options_.setup(dest))
      pool.configure(std::move(setup->options), std::move(setup->new_writer));
    else
      pool.stop(options_.unknown_destination);
  }

  void take_inbox() {
    {
      std::lock_guard lock{mutex_};
      taken_.swap(inbox_);
      inbox_posted_ = false;
    }
    for (auto& [of, first, count, is_withdrawal] : taken_) {
      if (is_withdrawal) {
        if (const auto known = pools_.find(of->dest); known != pools_.end())
          known->second->withdraw(*of, withdrawn);
      } else if (auto* pool = try_pool_for(of->dest)) {
        pool->push(of, first, count);
        if (touched_.empty() || touched_.back() != pool)
          touched_.push_back(pool);
      } else {
        const auto why = stopping_ ? stop_reason : refusal_;
        answers_.push_back(all_unsent(std::move(of), first, count, why));
        deliver_later();
      }
    }
    taken_.clear();
    for (auto* pool : touched_)
      pool->dispatch();
    touched_.clear();
  }

  // What has no pool for now is unsent, and comes again.
  delivery_pool* try_pool_for(const destination& dest) {
    refusal_ = options_.unknown_destination;
    try {
      return pool_for(dest);
    } catch (const std::exception& error) {
      log_thread_error(options_.thread_name, error);
      refusal_ = no_pool;
      return nullptr;
    }
  }

  delivery_pool* pool_for(const destination& dest) {
    auto known = pools_.find(dest);
    if (known != pools_.end())
      return known->second.get();
    auto setup = stopping_ ? std::nullopt : options_.setup(dest);
    if (!setup)
      return nullptr;
    auto pool = std::make_unique<delivery_pool>(
      io_.get_executor(), context_, std::move(setup->options), stats_, std::move(setup->new_writer),
      [this](delivery_pool& answered) {
        answered_.push_back(&answered);
        deliver_later();
      });
    return pools_.emplace(dest, std::move(pool)).first->second.get();
  }

  // Posted behind the handlers that are ready by now, so that all reads of a turn are in.
  void deliver_later() {
    if (!std::exchange(deliver_posted_, true))
      asio::post(io_, [this] { deliver(); });
  }

  void deliver() {
    deliver_posted_ = false;
    auto answers = std::exchange(answers_, {});
    for (auto* pool : std::exchange(answered_, {}))
      pool->take_answers(answers);
    if (!answers.empty() && !stopped_)
      sink_(std::move(answers));
    if (stopping_)
      finish_stop();
  }

  void finish_stop() {
    for (const auto& [dest, pool] : pools_)
      if (pool->unanswered() > 0)
        return;
    stopped_ = true;
    for (auto& done : std::exchange(waiting_for_stop_, {}))
      done();
  }

  const delivery_loop_options options_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> running_{io_.get_executor()};
  asio::ssl::context context_;
  std::thread thread_;
  std::function<void(std::vector<answer_batch>)> sink_;
  pool_stats stats_;

  std::mutex mutex_;
  std::vector<submission> inbox_;
  bool inbox_posted_ = false;

  // Touched on the I/O thread alone.
  std::vector<submission> taken_;
  std::map<destination, std::unique_ptr<delivery_pool>> pools_;
  std::string_view refusal_; ///< of what has no pool
  std::vector<delivery_pool*> touched_;
  std::vector<delivery_pool*> answered_;
  std::vector<answer_batch> answers_;
  std::vector<std::function<void()>> waiting_for_stop_;
  bool deliver_posted_ = false;
  bool stopping_ = false;
  bool stopped_ = false;
};

delivery_loop::delivery_loop(delivery_loop_options options)
  : core_{std::make_shared<core>(std::move(options))} {
  core_->start();
}

delivery_loop::~delivery_loop() {
  core_->shut_down();
}

void delivery_loop::on_answers(std::function<void(std::vector<answer_batch>)> sink) {
  core_->on_answers(std::move(sink));
}

void delivery_loop::submit(work_ptr of, std::uint32_t first, std::uint32_t count) {
  core_->submit(std::move(of), first, count);
}

void delivery_loop::withdraw(work_ptr of) {
  core_->withdraw(std::move(of));
}

void delivery_loop::stop(std::function<void()> done) {
  core_->stop(std::move(done));
}

void delivery_loop::reconfigure(app_id app) {
  core_->reconfigure(app);
}

const pool_stats& delivery_loop::stats() const {
  return core_->stats();
}

} // namespace signalbox
