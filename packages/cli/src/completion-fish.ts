import { type OptionOffer, type Place, valuedNames } from './completion-places.ts'

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
complete -c sticky-cli -f
${places.flatMap((place) => [...wordsAt(place), ...optionsAt(place)]).join('\n')}
`
}

function wordsAt({ path, words }: Place): string[] {
  return words.map(
    ({ word, meaning }) => `complete -c sticky-cli -n ${at(path)} -a ${quoted(word)}${described(meaning)}`,
  )
}

function optionsAt({ path, options }: Place): string[] {
  return options.map(
    (option) => `complete -c sticky-cli -n ${at(path)}${flags(option)}${value(option)}${described(option.meaning)}`,
  )
}

function flags({ names }: OptionOffer): string {
  return names.map((name) => (name.startsWith('--') ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`)).join('')
}

function value({ takesValue, choices, isFile }: OptionOffer): string {
  if (!takesValue) return ''
  if (isFile) return ' -r -F'
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
