#pragma once

#include <cstdint>
#include <string_view>

#include "cache/server_facts.h"

namespace partywall::cache {

// What is to be done with the reply to a request.
enum class ReplyUse : uint8_t {
  kPass,           // goes to the client as it is
  kInfo,           // the tenant's DBSIZE, for the door's own INFO
  kLoaded,         // to SCRIPT LOAD, which the client has sent
  kLoadedFirst,    // the same, before its EVAL: it gets no answer of its own
  kChannels,       // names with the tenant's prefix
  kChannelCounts,  // the same, each with a number
  kKeyspaceStep,   // of a command about all keys of a tenant, in prefix mode
  kFlushPart,      // of a FLUSHALL over several databases; only an error counts
  kQuotaStep,      // to a question about the tenant's quota
  kMoved,          // to the RENAMENX that a MOVE became
  kAbortedExec,    // DISCARD in the place of an EXEC that the door refused
};

enum class LostReplies : uint8_t {
  kNeverSent,       // the requests did not reach Redis
  kUnknownOutcome,  // they may have been carried out
  kFirstCut,        // the same, and part of the first reply has been passed on
};

// How Redis begins what it says to everybody else while a script runs for long.
inline constexpr std::string_view kScriptKeepsBusy = "-BUSY Redis is busy running a ";

// Who sent requests over an upstream connection. It gets the replies in the order of its requests.
// It must not send anything from within these calls.
class ReplySink {
 public:
  virtual ~ReplySink() = default;

  // The next bytes of replies of kind kPass; `completed` of them end here.
  virtual void pass(std::string_view bytes, uint32_t completed) = 0;
  // Before pass(): of the replies that will end in it, the one at `index` has so many nulls.
  virtual void found_nulls(uint32_t index, uint32_t nulls) {
    static_cast<void>(index);
    static_cast<void>(nulls);
  }
  // Instead of pass(): Redis has not carried the next one out, because a script keeps it busy.
  virtual void refused_as_busy(std::string_view reply) { pass(reply, 1); }
  // A whole reply of another kind.
  virtual void use(ReplyUse use, std::string_view reply, const ServerFacts& facts) = 0;
  // A text of the door's own whose turn has come.
  virtual void answer(std::string_view text) = 0;
  // So many requests will not be answered any more.
  virtual void lost(uint32_t unanswered, LostReplies how) = 0;
  // Redis has taken most of what was waiting to be sent.
  virtual void drained() {}
  // True while it cannot take much more.
  [[nodiscard]] virtual bool congested() const = 0;
};

}  // namespace partywall::cache
