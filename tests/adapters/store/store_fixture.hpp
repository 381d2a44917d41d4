#pragma once

#include "adapters/store/sqlite/sqlite_store.hpp"
#include "tests/adapters/store/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>

namespace signalbox {

/// A store in a folder of its own, with a clock that tests move.
class store_fixture : public testing::Test {
protected:
  sqlite_options options() const {
    sqlite_options options;
    options.path = folder.file("signalbox.db");
    options.owner = {"node", make_uuid_v7(now())};
    options.readers = 2;
    options.lock_wait = std::chrono::milliseconds{0};
    options.min_free_bytes = 0;
    const std::chrono::hours ever{1}; // a pass does all it may, however slow the machine
    options.sweep = {ever, ever, ever};
    options.now = [clock = clock] { return clock->load(); };
    return options;
  }

  std::unique_ptr<sqlite_store> open() {
    auto opened = sqlite_store::open(options());
    EXPECT_TRUE(opened.ok()) << opened.message;
    return std::move(opened.value);
  }

  timestamp now() const { return clock->load(); }
  void advance(std::chrono::milliseconds time) { clock->store(now() + time); }

  template <class T>
  result<T> await(const std::function<void(callback<T>)>& call) {
    std::promise<result<T>> promise;
    auto answer = promise.get_future();
    call([&](result<T> value) { promise.set_value(std::move(value)); });
    return answer.get();
  }

  new_job job_for(const std::string& user) const {
    new_job job;
    job.id = make_uuid_v7(now());
    job.lane = "push";
    job.scope = {scope_kind::user, user, {}, {}};
    job.payload = "{}";
    job.created_at = now();
    return job;
  }

  temporary_folder folder;
  std::shared_ptr<std::atomic<timestamp>> clock = std::make_shared<std::atomic<timestamp>>(
    timestamp{std::chrono::milliseconds{1'760'000'000'000}});
};

} // namespace signalbox
