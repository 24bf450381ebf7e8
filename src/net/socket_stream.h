#pragma once

#include <memory>

#include "net/worker.h"

namespace partywall::net {

// Takes over a connected, non-blocking TCP or unix socket.
std::unique_ptr<Stream> make_socket_stream(Worker& worker, int descriptor, Endpoint peer);

// What Worker::connect() does.
Task<Result<std::unique_ptr<Stream>>> connect_socket(Worker& worker, Endpoint to, Duration timeout);

}  // namespace partywall::net
