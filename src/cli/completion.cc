#include "cli/completion.h"

namespace partywall::cli {
namespace {

constexpr std::string_view kBash = R"sh(_partywall() {
  local current="${COMP_WORDS[COMP_CWORD]}"
  local words
  words="$(partywall __complete "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _partywall partywall
)sh";

constexpr std::string_view kZsh = R"sh(#compdef partywall
_partywall() {
  local -a candidates
  candidates=(${(f)"$(partywall __complete ${words[2,CURRENT-1]} 2>/dev/null)"})
  if (( ${#candidates} )); then compadd -- $candidates; else _files; fi
}
compdef _partywall partywall
)sh";

constexpr std::string_view kFish = R"sh(function __partywall_complete
  set -l words (commandline -opc)
  partywall __complete $words[2..-1] 2>/dev/null
end
complete -c partywall -a '(__partywall_complete)'
)sh";

}  // namespace

Result<std::string> completion_script(std::string_view shell) {
  if (shell == "bash") return std::string(kBash);
  if (shell == "zsh") return std::string(kZsh);
  if (shell == "fish") return std::string(kFish);
  return fail(ErrorKind::kInvalid, "{}: there are completions for bash, zsh and fish", shell);
}

}  // namespace partywall::cli
