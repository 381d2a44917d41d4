#pragma once

#include "adapters/fcm/access_token.hpp"
#include "adapters/fcm/rendered_bodies.hpp"
#include "adapters/http2/request_writer.hpp"

#include <nghttp2/nghttp2.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace signalbox {

/// Writes FCM requests for one connection: `POST /v1/projects/<project>/messages:send`, the job's
/// body around each registration token.
///
/// HPACK: all requests of a connection have the same headers, so everything is indexed but
/// `authorization`, which nghttp2 never indexes (RFC 7541, 7.1.3), and `:path`, which it does not
/// index by itself.
class fcm_request_writer final : public request_writer {
public:
  /// `authority` is the `:authority` of the requests; `bodies` is shared by the writers of a
  /// thread.
  fcm_request_writer(std::string authority, std::shared_ptr<access_token> token,
                     std::shared_ptr<rendered_bodies> bodies);

  std::string prepare() override;
  const http2_request* write(work_queue::active_work& of, std::uint32_t position,
                             answer& failure) override;
  answer read(const http2_response& response, std::uint32_t note) override;
  bool retires_connection(const answer& last) override;

private:
  // A work's rendering, and those before it that its requests under way still read.
  struct work_bodies {
    std::shared_ptr<const rendered_body> latest;
    bool has_odd_tokens = false; ///< that would have to be escaped in JSON
    std::shared_ptr<const void> before;
  };

  const work_bodies& bodies_of(work_queue::active_work& of);
  void render_headers();

  const std::string authority_;
  const std::shared_ptr<access_token> token_;
  const std::shared_ptr<rendered_bodies> bodies_;

  access_token::credentials_ptr credentials_;
  timestamp now_;
  std::array<nghttp2_nv, 6> headers_;
  http2_request request_;
  std::string last_error_body_;
  std::string last_reason_;
};

} // namespace signalbox
