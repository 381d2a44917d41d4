// What the sweeper and the metrics ask of sqlite_store.

#include "adapters/store/sqlite/backlog.hpp"
#include "adapters/store/sqlite/engine.hpp"
#include "adapters/store/sqlite/sweep.hpp"

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
  auto go_on = [this, done](result<sqlite::lane_sweep> swept) {
    if (swept.ok() && swept.value.unclosed)
      engine_->close_job(*swept.value.unclosed);
    done({swept.code, std::move(swept.message), swept.value.result});
  };
  engine_->write<sqlite::lane_sweep>(
    write_class::lanes, durability::normal, std::move(go_on),
    [this, request = std::move(request)](connection& database) {
      return result<sqlite::lane_sweep>::success(
        sqlite::sweep_lane(database, engine_->shared(), engine_->state(), request));
    });
}

void sqlite_store::measure(const std::string& lane, callback<backlog> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  engine_->read<backlog>(read_class::queries, std::move(done), [this, lane](connection& database) {
    return result<backlog>::success(sqlite::measure_backlog(database, engine_->shared(), lane));
  });
}

} // namespace signalbox
