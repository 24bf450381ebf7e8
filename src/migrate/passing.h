#pragma once

#include "engines/postgres.h"

// Which failures another connection may not meet again: one answer for whoever tries again.
namespace partywall::migrate {

// Connections that were lost or are not to be had, and servers that lack something for a while
// (class 53: the clients of one that has just been restarted all come at once).
[[nodiscard]] inline bool may_pass(const Error& error) {
  return error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kClosed ||
         error.kind == ErrorKind::kLimit;
}

}  // namespace partywall::migrate
