#include "cli/profile.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

#include <sys/stat.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/private_file.h"
#include "base/text.h"

namespace partywall::cli {
namespace {

constexpr const char* kEmbeddedFile = ".partywall/config.json";

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

Result<> check_private(const std::string& file) {
  struct stat status{};
  if (stat(file.c_str(), &status) != 0) return {};
  if ((status.st_mode & 077) == 0) return {};
  return fail(ErrorKind::kDenied,
              "{} holds tokens, and others than its owner may read it; chmod 600 it", file);
}

Result<Profile> find_context(const Profiles& profiles, const std::string& name,
                             const std::string& file) {
  const auto found = profiles.contexts.find(name);
  if (found != profiles.contexts.end()) return found->second;
  std::vector<std::string_view> names;
  for (const auto& [known, profile] : profiles.contexts) names.emplace_back(known);
  return fail(ErrorKind::kNotFound, "there is no context '{}' in {}{}", name, file,
              suggestion(name, names));
}

}  // namespace

std::string profile_file(const ProfileChoice& choice) {
  if (!choice.file.empty()) return choice.file;
  if (auto file = environment("PARTYWALL_CONFIG"); !file.empty()) return file;
  std::string folder = environment("XDG_CONFIG_HOME");
  if (folder.empty()) folder = environment("HOME") + "/.config";
  return folder + "/partywall/config.json";
}

Result<Profiles> parse_profiles(std::string_view text) {
  const auto document = JsonValue::parse(text);
  if (!document) return std::unexpected(document.error());
  Profiles profiles;
  if (const std::string* const current = document->find_string("current"))
    profiles.current = *current;
  const JsonValue* const contexts = document->find("contexts");
  const JsonObject* const members = contexts ? contexts->as_object() : nullptr;
  if (!members) return fail(ErrorKind::kInvalid, "there is no object 'contexts'");
  for (const JsonMember& member : *members) {
    const std::string* const url = member.value.find_string("url");
    const std::string* const token = member.value.find_string("token");
    if (!url || !token)
      return fail(ErrorKind::kInvalid, "context '{}' needs 'url' and 'token'", member.name);
    profiles.contexts[member.name] = {.url = *url, .token = Secret(*token)};
  }
  return profiles;
}

std::string print_profiles(const Profiles& profiles) {
  JsonObject contexts;
  for (const auto& [name, profile] : profiles.contexts) {
    contexts.push_back(
        {name, JsonValue(JsonObject{{"url", JsonValue(profile.url)},
                                    {"token", JsonValue(std::string(profile.token.reveal()))}})});
  }
  return to_json_text(JsonValue(JsonObject{{"current", JsonValue(profiles.current)},
                                           {"contexts", JsonValue(std::move(contexts))}})) +
         '\n';
}

Result<Profiles> load_profiles(const std::string& file) {
  if (!std::filesystem::exists(file)) return Profiles{};
  if (auto checked = check_private(file); !checked) return std::unexpected(checked.error());
  const auto text = read_private_file(file);
  if (!text) return std::unexpected(text.error());
  auto profiles = parse_profiles(*text);
  if (!profiles) return fail_with_context(file, profiles.error());
  return profiles;
}

Result<> save_profiles(const std::string& file, const Profiles& profiles) {
  const std::string folder = std::filesystem::path(file).parent_path().string();
  if (!folder.empty()) {
    if (auto made = make_private_directory(folder); !made) return made;
  }
  return write_private_file(file, print_profiles(profiles));
}

Result<Profile> choose_profile(const ProfileChoice& choice) {
  const std::string url = environment("PARTYWALL_URL"), token = environment("PARTYWALL_TOKEN");
  if (choice.context.empty() && !url.empty() && !token.empty())
    return Profile{.url = url, .token = Secret(token)};
  std::string file = profile_file(choice);
  auto profiles = load_profiles(file);
  if (!profiles) return std::unexpected(profiles.error());
  std::string name = choice.context.empty() ? environment("PARTYWALL_CONTEXT") : choice.context;
  if (name.empty()) name = profiles->current;
  if (name.empty() && choice.file.empty() && std::filesystem::exists(kEmbeddedFile)) {
    file = kEmbeddedFile;
    profiles = load_profiles(file);
    if (!profiles) return std::unexpected(profiles.error());
    name = profiles->current;
  }
  if (name.empty()) {
    return fail(ErrorKind::kNotFound,
                "no context is chosen: add one with `partywall context add NAME --url URL "
                "--token-file FILE`, or set PARTYWALL_URL and PARTYWALL_TOKEN");
  }
  return find_context(*profiles, name, file);
}

}  // namespace partywall::cli
