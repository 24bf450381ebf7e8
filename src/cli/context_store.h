#pragma once

#include <string>

#include "cli/output.h"
#include "cli/profile.h"

// `partywall context …`: the control planes that the command line knows.
namespace partywall::cli {

struct NewContext {
  std::string name;
  std::string url;
  std::string token_file;  // "-": standard input
};

// Adds or replaces it; the first one becomes current.
int add_context(const ProfileChoice& choice, const NewContext& context);
int use_context(const ProfileChoice& choice, const std::string& name);
int remove_context(const ProfileChoice& choice, const std::string& name);
// Never shows a token.
int list_contexts(const ProfileChoice& choice, OutputFormat output);

}  // namespace partywall::cli
