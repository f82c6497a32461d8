import { fileNames, optionsWithChoices, type Place, valuedNames } from './completion-places.ts'

/** A script for `source <(sticky-cli completion bash)`. */
export function bashCompletion(places: readonly Place[]): string {
  const valued = valuedNames(places).join(' | ')
  const below = places.filter(({ path }) => path !== '')
  return `# bash completion of sticky-cli
_sticky_cli() {
  local path='' word words options
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
    ${fileNames(places).join(' | ')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${valued}) COMPREPLY=(); return ;;
  esac
  case "$path" in
${places.map(offers).join('\n')}
  esac
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

function offers({ path, words, options }: Place): string {
  const named = options.flatMap(({ names }) => names).join(' ')
  return `    '${path}') words='${words.map(({ word }) => word).join(' ')}' options='${named}' ;;`
}
