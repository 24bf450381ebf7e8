#pragma once

#include <memory>

#include "admin/router.h"
#include "net/drain.h"
#include "net/loop.h"

namespace partywall::admin {

struct SessionLimits {
  size_t max_head_bytes = 16 * 1024;
  size_t max_body_bytes = 1024 * 1024;
  Duration read_timeout = seconds(30);  // without a byte, also between requests
  Duration write_timeout = seconds(30);
};

// One connection of the admin port: HTTP/1.1 with keep-alive, one request after the other. The
// other arguments must outlive it.
net::Task<> serve_connection(net::Loop& loop, std::unique_ptr<net::Stream> stream,
                             const Router& router, const SessionLimits& limits, net::Drain& drain);

}  // namespace partywall::admin
