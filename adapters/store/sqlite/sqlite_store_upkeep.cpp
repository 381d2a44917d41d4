// What the sweeper and the metrics ask of sqlite_store.

#include "adapters/store/sqlite/backlog.hpp"
#include "adapters/store/sqlite/engine.hpp"
#include "adapters/store/sqlite/sweep.hpp"

#include <memory>
#include <utility>

namespace signalbox {

using sqlite::connection;
using sqlite::durability;
using sqlite::read_class;
using sqlite::write_class;

void sqlite_store::sweep(sweep_request request, callback<sweep_result> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  engine_->run_sweep(
    std::make_shared<sqlite::sweep_pass>(engine_->shared(), engine_->state(), std::move(request)),
    std::move(done));
}

// Others have their turn between two steps.
void sqlite_store::engine::run_sweep(std::shared_ptr<sqlite::sweep_pass> pass,
                                     callback<sweep_result> done) {
  auto go_on = [this, pass, done = std::move(done)](result<unit> ran) {
    if (!pass->finish_step(ran.code, ran.message))
      return done({ran.code, std::move(ran.message), {}});
    if (pass->is_done())
      return done(result<sweep_result>::success(pass->result()));
    run_sweep(pass, done);
  };
  write<unit>(write_class::lanes, durability::normal, std::move(go_on),
              [pass](connection& database) {
                pass->run(database);
                return result<unit>{};
              });
}

void sqlite_store::measure(const std::string& lane, callback<backlog> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  engine_->read<backlog>(read_class::lanes, std::move(done), [this, lane](connection& database) {
    return result<backlog>::success(sqlite::measure_backlog(database, engine_->shared(), lane));
  });
}

} // namespace signalbox
