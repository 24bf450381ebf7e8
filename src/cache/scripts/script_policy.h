#pragma once

#include "cache/commands/command_rule.h"
#include "tenancy/limits.h"

namespace partywall::cache {

// Has it to do with scripts that the tenant has written itself?
constexpr bool is_about_own_scripts(CommandKind kind) {
  return kind == CommandKind::kEval || kind == CommandKind::kEvalSha ||
         kind == CommandKind::kScriptLoad || kind == CommandKind::kScriptExists ||
         kind == CommandKind::kScriptFlush;
}
// With the functions that the operator provides?
constexpr bool is_about_functions(CommandKind kind) {
  return kind == CommandKind::kFcall || kind == CommandKind::kFunctionList;
}

// May a tenant have it, whose limits say so about scripts?
constexpr bool allows(CacheScripts scripts, CommandKind kind) {
  if (is_about_own_scripts(kind)) return scripts == CacheScripts::kAny;
  return !is_about_functions(kind) || scripts != CacheScripts::kNone;
}

}  // namespace partywall::cache
