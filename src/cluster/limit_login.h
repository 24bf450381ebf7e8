#pragma once

#include <string>

#include "base/secret.h"
#include "base/time.h"

namespace partywall {

// How a node logs in at the limits store, and how long it waits for an answer there.
struct LimitLogin {
  std::string user;  // empty: nobody logs in
  Secret password;
  Duration answer_timeout = milliseconds(250);
};

}  // namespace partywall
