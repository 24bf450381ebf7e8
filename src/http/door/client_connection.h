#pragma once

#include <memory>
#include <utility>

#include "http/door/buffers.h"
#include "http/proxy/client_origin.h"
#include "net/event.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/timer.h"

namespace partywall::http {

// A client's connection with what its session waits on.
struct ClientConnection {
  ClientConnection(net::Loop& loop, std::unique_ptr<net::Stream> its_stream,
                   ClientOrigin its_origin)
      : wake(loop),
        deadline(loop.timers(), wake),
        stream(std::move(its_stream)),
        origin(std::move(its_origin)) {}

  net::Event wake;  // of everything the session waits for
  net::Timer deadline;
  std::unique_ptr<net::Stream> stream;
  ClientOrigin origin;
  InputBuffer input;
  OutputBuffer output;
};

}  // namespace partywall::http
