import { fileNames, namesOfKind, optionsWithChoices, type Place, valuedNames } from './completion-places.ts'
import { kinds } from './names.ts'

/** A script for `source <(sticky-cli completion zsh)`, or a file `_sticky-cli` in `fpath`. */
export function zshCompletion(places: readonly Place[]): string {
  const valued = valuedNames(places).join('|')
  const below = places.filter(({ path }) => path !== '')
  return `#compdef sticky-cli
_sticky_cli_names() {
  compadd -- \${(f)"$("\${(Q)words[1]}" $asked names $1 2> /dev/null)"}
}
_sticky_cli() {
  local place='' kind='' word previous="\${words[CURRENT-1]}"
  local -i at
  local -a named offered asked
  for ((at = 2; at < CURRENT; at++)); do
    word="\${words[at]}"
    case "$word" in
      --admin|--token-file) at+=1; asked+=("$word" "\${(Q)words[at]}") ;;
      --admin=*|--token-file=*) asked+=("\${(Q)word}") ;;
      ${valued}) at+=1 ;;
      -*) ;;
      *)
        case "\${place:+$place }$word" in
          ${below.map(({ path }) => quoted(path)).join('|')}) place="\${place:+$place }$word" ;;
        esac ;;
    esac
  done
  case "$previous" in
${choices(places)}
${names(places)}
    ${fileNames(places).join('|')}) _files; return ;;
    ${valued}) return ;;
  esac
  case "$place" in
${places.map(offers).join('\n')}
  esac
  if [[ -n $kind && $PREFIX != -* ]]; then _sticky_cli_names $kind; return; fi
  if [[ $PREFIX == -* || $#named == 0 ]]; then _describe 'option' offered; else _describe 'command' named; fi
}
if [[ $funcstack[1] == _sticky-cli ]]; then _sticky_cli "$@"; else compdef _sticky_cli sticky-cli; fi
`
}

function choices(places: readonly Place[]): string {
  const replies = optionsWithChoices(places).map(
    ({ names, choices }) => `    ${names.join('|')}) compadd -- ${choices.map(quoted).join(' ')}; return ;;`,
  )
  return replies.join('\n')
}

function names(places: readonly Place[]): string {
  const replies = kinds.map(
    (kind) => `    ${namesOfKind(places, kind).join('|')}) _sticky_cli_names ${kind}; return ;;`,
  )
  return replies.join('\n')
}

function offers({ path, words, kind, options }: Place): string {
  const flags = options.flatMap(({ names, meaning }) => names.map((word) => described(word, meaning)))
  const named = words.map(({ word, meaning }) => described(word, meaning))
  return `    ${quoted(path)}) named=(${named.join(' ')}) offered=(${flags.join(' ')}) kind=${quoted(kind ?? '')} ;;`
}

function described(word: string, meaning: string): string {
  return quoted(meaning === '' ? word : `${word}:${meaning.replaceAll(':', '\\:')}`)
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
