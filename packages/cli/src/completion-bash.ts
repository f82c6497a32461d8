import { fileNames, namesOfKind, optionsWithChoices, type Place, valuedNames } from './completion-places.ts'
import { kinds } from './names.ts'

/** A script for `source <(sticky-cli completion bash)`. */
export function bashCompletion(places: readonly Place[]): string {
  const valued = valuedNames(places).join(' | ')
  const below = places.filter(({ path }) => path !== '')
  return `# bash completion of sticky-cli
_sticky_cli_names() {
  local -a line=() asked=()
  local -i at
  # COMP_WORDS breaks URLs at their colons.
  read -ra line <<< "\${COMP_LINE:0:COMP_POINT}"
  for ((at = 1; at < \${#line[@]}; at++)); do
    case "\${line[at]}" in
      --admin | --token-file) asked+=("\${line[at]}" "\${line[at+1]}") ;;
      --admin=* | --token-file=*) asked+=("\${line[at]}") ;;
    esac
  done
  "\${COMP_WORDS[0]}" "\${asked[@]}" names "$1" 2> /dev/null
}
_sticky_cli() {
  local path='' word words options kind=''
  local previous="\${COMP_WORDS[COMP_CWORD-1]}" current="\${COMP_WORDS[COMP_CWORD]}"
  local -i at
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    case "$word" in
      ${valued}) at+=1 ;;
      -*) ;;
      *)
        case "\${path:+$path }$word" in
          ${below.map(({ path }) => `'${path}'`).join(' | ')}) path="\${path:+$path }$word" ;;
        esac ;;
    esac
  done
  case "$previous" in
${choices(places)}
${names(places)}
    ${fileNames(places).join(' | ')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${valued}) COMPREPLY=(); return ;;
  esac
  case "$path" in
${places.map(offers).join('\n')}
  esac
  if [[ -n $kind && $current != -* ]]; then words="\${words:+$words }$(_sticky_cli_names "$kind")"; fi
  if [[ $current == -* || -z $words ]]; then words=$options; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _sticky_cli sticky-cli
`
}

function choices(places: readonly Place[]): string {
  const replies = optionsWithChoices(places).map(
    ({ names, choices }) =>
      `    ${names.join(' | ')}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current")); return ;;`,
  )
  return replies.join('\n')
}

function names(places: readonly Place[]): string {
  const replies = kinds.map(
    (kind) =>
      `    ${namesOfKind(places, kind).join(' | ')}) COMPREPLY=($(compgen -W "$(_sticky_cli_names ${kind})" -- "$current")); return ;;`,
  )
  return replies.join('\n')
}

function offers({ path, words, kind, options }: Place): string {
  const named = options.flatMap(({ names }) => names).join(' ')
  return `    '${path}') words='${words.map(({ word }) => word).join(' ')}' options='${named}' kind='${kind ?? ''}' ;;`
}
