import { fileNames, optionsWithChoices, type Place, valuedNames } from './completion-places.ts'

/** A script for `source <(sticky-cli completion zsh)`, or a file `_sticky-cli` in `fpath`. */
export function zshCompletion(places: readonly Place[]): string {
  const valued = valuedNames(places).join('|')
  const below = places.filter(({ path }) => path !== '')
  return `#compdef sticky-cli
_sticky_cli() {
  local place='' word previous="\${words[CURRENT-1]}"
  local -i at
  local -a named offered
  for ((at = 2; at < CURRENT; at++)); do
    word="\${words[at]}"
    case "$word" in
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
    ${fileNames(places).join('|')}) _files; return ;;
    ${valued}) return ;;
  esac
  case "$place" in
${places.map(offers).join('\n')}
  esac
  if [[ $PREFIX == -* || $#named == 0 ]]; then _describe 'option' offered; else _describe 'command' named; fi
}
compdef _sticky_cli sticky-cli
`
}

function choices(places: readonly Place[]): string {
  const replies = optionsWithChoices(places).map(
    ({ names, choices }) => `    ${names.join('|')}) compadd -- ${choices.map(quoted).join(' ')}; return ;;`,
  )
  return replies.join('\n')
}

function offers({ path, words, options }: Place): string {
  const flags = options.flatMap(({ names, meaning }) => names.map((word) => described(word, meaning)))
  const named = words.map(({ word, meaning }) => described(word, meaning))
  return `    ${quoted(path)}) named=(${named.join(' ')}) offered=(${flags.join(' ')}) ;;`
}

function described(word: string, meaning: string): string {
  return quoted(meaning === '' ? word : `${word}:${meaning.replaceAll(':', '\\:')}`)
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
