#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/secret.h"

// Which control plane the command line talks to, as kubectl and gh keep it: named contexts in a
// file that only its owner may read, one of them current.
namespace partywall::cli {

struct Profile {
  std::string url;  // "http://127.0.0.1:9190"
  Secret token;
};

struct Profiles {
  std::string current;  // empty: none
  std::map<std::string, Profile> contexts;
};

// What the command line and the environment say about it.
struct ProfileChoice {
  std::string file{};     // empty: $PARTYWALL_CONFIG, else partywall/config.json in the user's
                          // configuration folder
  std::string context{};  // empty: $PARTYWALL_CONTEXT, else the current one
};

std::string profile_file(const ProfileChoice& choice);
// Nothing is there yet: no contexts. Refused: a file that others may read or write.
Result<Profiles> load_profiles(const std::string& file);
Result<> save_profiles(const std::string& file, const Profiles& profiles);

// The context that counts. $PARTYWALL_URL with $PARTYWALL_TOKEN go before any file; without a
// context .partywall/config.json, which `partywall up` writes, is tried.
Result<Profile> choose_profile(const ProfileChoice& choice);

// Pure, for the above: from text and to text.
Result<Profiles> parse_profiles(std::string_view text);
std::string print_profiles(const Profiles& profiles);

}  // namespace partywall::cli
