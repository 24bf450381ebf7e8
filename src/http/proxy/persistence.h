#pragma once

#include <cstdint>

namespace partywall::http {

// What becomes of the client's connection after a response.
enum class Persistence : uint8_t { kKeepAlive, kClose };

// Does the response carry its body? Not the answer to HEAD.
enum class AnswerBody : uint8_t { kSent, kOmitted };

}  // namespace partywall::http
