#pragma once

#include "adapters/apns/provider_token.hpp"
#include "adapters/apns/rendered_jobs.hpp"
#include "adapters/http2/request_writer.hpp"

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// Writes APNs requests for one connection: `POST /3/device/<token>`, or for a broadcast
/// `POST /4/broadcasts/apps/<bundle>` with the channel in `apns-channel-id` and the id of the
/// request in `apns-request-id`.
///
/// HPACK as Apple asks ("Sending notification requests to APNs"): `:path` and `authorization` are
/// literals that are never indexed; `apns-id`, `apns-expiration` and `apns-collapse-id` are indexed
/// the first time on a connection, so that their names are in the table, and never afterwards;
/// everything else is indexed. A broadcast's ids are never indexed, since they are few. The headers
/// are prepared once for each change of job; a request sets two of them.
class apns_request_writer final : public request_writer {
public:
  /// `authority` is the `:authority` of the requests; `jobs` is shared by the writers of a thread.
  apns_request_writer(std::string authority, std::string bundle,
                      std::shared_ptr<provider_token> token, std::shared_ptr<rendered_jobs> jobs);

  std::string prepare() override;
  const http2_request* write(work_queue::active_work& of, std::uint32_t position,
                             answer& failure) override;
  answer read(const http2_response& response, std::uint32_t note) override;
  bool retires_connection(const answer& last) override;

private:
  static answer read_answer(const http2_response& response);
  void select(std::shared_ptr<const void> rendered);
  void render_headers();
  void add_device_headers();
  void add_broadcast_headers();
  void add(std::string_view name, std::string_view value, int flags);
  void add_indexed_once(bool& seen, std::string_view name, std::string_view value, int flags);

  const std::string authority_;
  const std::string bundle_;
  const std::shared_ptr<provider_token> token_;
  const std::shared_ptr<rendered_jobs> jobs_;

  provider_token::text_ptr authorization_;
  std::uint32_t serial_ =
    0; ///< of the token. A request's note: this, and a bit for a caller's topic
  bool is_about_current_ = true; ///< the last answer of 403: about the token in use now
  std::shared_ptr<const rendered_job> job_;
  bool headers_are_current_ = false;
  bool id_seen_ = false;
  bool expiration_seen_ = false;
  bool collapse_id_seen_ = false;
  std::vector<nghttp2_nv> headers_;
  std::size_t target_at_ = 0; ///< of the header that names the target
  std::string target_;
  std::array<char, 36> id_{};
  http2_request request_;
};

} // namespace signalbox
