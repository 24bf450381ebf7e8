#pragma once

#include <memory>

#include "admin/handler_threads.h"
#include "admin/router.h"
#include "net/drain.h"
#include "net/loop.h"

namespace partywall::admin {

struct SessionLimits {
  size_t max_head_bytes = 16 * 1024;
  uint32_t max_large_bodies = 2;        // at once, of those above kUsualBodyBytes
  uint32_t max_streams = 32;            // at once: each asks the control store now and then
  Duration read_timeout = seconds(30);  // without a byte, also between requests
  Duration body_timeout = seconds(60);  // from the head of a request to the end of its body
  Duration write_timeout = seconds(30);
};

// What the sessions of a server share; used on their loop's thread only.
struct SessionShared {
  const Router& router;
  Executor& executor;
  SessionLimits limits;
  // Only requests whose Host is an address or localhost: a page that somebody's browser shows can
  // have its own name resolve to a loopback address (DNS rebinding), and read what is here.
  bool refuses_names = false;
  uint32_t large_bodies = 0;
  uint32_t streams = 0;
};

// One connection of the admin port: HTTP/1.1 with keep-alive, one request after the other. The
// other arguments must outlive it.
net::Task<> serve_connection(net::Loop& loop, std::unique_ptr<net::Stream> stream,
                             SessionShared& shared, net::Drain& drain);

}  // namespace partywall::admin
