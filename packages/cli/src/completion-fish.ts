import { type OptionOffer, type Place, valuedNames } from './completion-places.ts'
import type { Kind } from './names.ts'

/** A script for `sticky-cli completion fish | source`, or a file in `~/.config/fish/completions`. */
export function fishCompletion(places: readonly Place[]): string {
  const paths = places.map(({ path }) => path).filter((path) => path !== '')
  return `# fish completion of sticky-cli
function __sticky_cli_at
  set -l path ''
  set -l skip 0
  for word in (commandline -opc)[2..-1]
    if test $skip = 1
      set skip 0
    else if contains -- $word ${valuedNames(places).join(' ')}
      set skip 1
    else if contains -- (string trim -- "$path $word") ${paths.map(quoted).join(' ')}
      set path (string trim -- "$path $word")
    end
  end
  test "$path" = "$argv[1]"
end
function __sticky_cli_names
  set -l line (commandline -opc)
  set -l asked
  for at in (seq 2 (count $line))
    switch $line[$at]
      case --admin --token-file
        set -a asked $line[$at..(math $at + 1)]
      case '--admin=*' '--token-file=*'
        set -a asked $line[$at]
    end
  end
  $line[1] $asked names $argv[1] 2>/dev/null
end
complete -c sticky-cli -f
${places.flatMap((place) => [...wordsAt(place), ...optionsAt(place)]).join('\n')}
`
}

function wordsAt({ path, words, kind }: Place): string[] {
  const named = kind === undefined ? [] : [`complete -c sticky-cli -n ${at(path)} -a ${quoted(asking(kind))}`]
  const given = words.map(
    ({ word, meaning }) => `complete -c sticky-cli -n ${at(path)} -a ${quoted(word)}${described(meaning)}`,
  )
  return [...given, ...named]
}

function asking(kind: Kind): string {
  return `(__sticky_cli_names ${kind})`
}

function optionsAt({ path, options }: Place): string[] {
  return options.map(
    (option) => `complete -c sticky-cli -n ${at(path)}${flags(option)}${value(option)}${described(option.meaning)}`,
  )
}

function flags({ names }: OptionOffer): string {
  return names.map((name) => (name.startsWith('--') ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`)).join('')
}

function value({ takesValue, choices, isFile, kind }: OptionOffer): string {
  if (!takesValue) return ''
  if (isFile) return ' -r -F'
  if (kind !== undefined) return ` -x -a ${quoted(asking(kind))}`
  return choices.length === 0 ? ' -x' : ` -x -a ${quoted(choices.join(' '))}`
}

function at(path: string): string {
  return `'__sticky_cli_at "${path}"'`
}

function described(meaning: string): string {
  return meaning === '' ? '' : ` -d ${quoted(meaning)}`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
