#pragma once

#include <cstdint>
#include <string_view>

#include "cache/commands/key_layout.h"

namespace partywall::cache {

// What the door does with a command. tools/cache_commands/policy.txt assigns them.
enum class CommandKind : uint8_t {
  // Passed on.
  kPlain,     // on a connection that the tenant's clients share
  kBlocking,  // on a connection of its own until it is answered
  kMulti,     // these five: on a connection of its own until the transaction is over
  kExec,
  kDiscard,
  kWatch,
  kUnwatch,
  kKeyspace,  // about all keys at once: KEYS, SCAN, RANDOMKEY, DBSIZE
  kEval,      // these: each tenant has its own scripts
  kEvalSha,
  kScriptLoad,
  kScriptExists,
  kFcall,    // of the functions that the operator provides
  kCommand,  // about the tenant's commands only
  kFlush,    // as FLUSHDB ASYNC
  kPublish,  // with the tenant's channel prefix
  // Asked by a user of the door's own: the answers would tell the tenant of everybody's channels.
  kChannels,  // the prefix taken off in the reply
  kChannelCounts,
  kSubscribe,  // on the session's subscriber connection
  kUnsubscribe,
  kCopy,  // in prefix mode, between the tenant's own databases, under other names
  kMove,
  // Answered by the door.
  kAuth,
  kHello,
  kReset,
  kQuit,
  kSelect,
  kInfo,
  kRole,
  kWhoami,
  kConfigGet,
  kConfigSet,
  kClient,
  kScriptFlush,
  kFunctionList,
  kSlowLog,
  kLatency,
  kMemory,
  kPubsub,
  kClusterOff,
  // Refused.
  kDenied,
};

enum class CommandEffect : uint8_t { kReads, kWrites, kMayWrite };

// How a command may add to the keys and bytes that its tenant keeps.
enum class CommandGrowth : uint8_t {
  kNone,
  kArguments,  // by no more than its arguments hold
  kOffset,     // a string gets as long as argument 2 says: SETRANGE in bytes, SETBIT in bits
  kDerived,    // by what it makes of other keys: one key, of a size that nobody knows before
  kPending,    // by a little for each entry that it hands to a consumer; never refused
  kScript,     // by anything
};

// Which of its keys a command looks for, and tells by null when they are not there.
enum class CommandLookup : uint8_t { kNone, kFirst, kEvery };

enum class CommandShape : uint8_t {
  kCommand,
  kContainer,  // has sub-commands, which have rules of their own ("client|id")
};

struct CommandRule {
  std::string_view name;  // lower case; "container|sub-command"
  CommandKind kind = CommandKind::kDenied;
  CommandEffect effect = CommandEffect::kReads;
  CommandShape shape = CommandShape::kCommand;
  int16_t arity = 0;        // with the name; negative: at least so many
  std::string_view reason;  // of a refusal, for the client
  KeyLayout keys;
  ReplyKeys reply_keys = ReplyKeys::kNone;
  uint16_t since = 700;  // the version of Redis that brought it, 704 is 7.4; 7.0 and before are 700
  CommandGrowth growth = CommandGrowth::kNone;
  CommandLookup lookup = CommandLookup::kNone;
};

// Does the upstream user of a tenant need the command?
constexpr bool is_passed_on(CommandKind kind) { return kind <= CommandKind::kPublish; }
constexpr bool is_subscription(CommandKind kind) {
  return kind == CommandKind::kSubscribe || kind == CommandKind::kUnsubscribe;
}

}  // namespace partywall::cache
