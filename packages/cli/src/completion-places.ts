import { type Kind, kinds } from './names.ts'

/** A command with those below it, as commander has it. */
export interface CommandTree {
  name(): string
  description(): string
  readonly commands: readonly CommandTree[]
  readonly options: readonly TreeOption[]
  readonly registeredArguments: readonly TreeArgument[]
}

interface TreeArgument {
  name(): string
  readonly argChoices?: string[] | undefined
}

interface TreeOption {
  readonly short?: string | undefined
  readonly long?: string | undefined
  readonly description: string
  readonly required: boolean
  readonly flags: string
  readonly argChoices?: string[] | undefined
}

/** A command, and what may stand behind it. */
export interface Place {
  /** `sessions list`; empty for the program. */
  readonly path: string
  readonly words: readonly Offer[]
  /** What is named there, besides. */
  readonly kind: Kind | undefined
  readonly options: readonly OptionOffer[]
}

/** A word and what it means. */
export interface Offer {
  readonly word: string
  readonly meaning: string
}

/** An option by its names, and what its value may be. */
export interface OptionOffer {
  readonly names: readonly string[]
  readonly meaning: string
  readonly takesValue: boolean
  /** Empty: anything. */
  readonly choices: readonly string[]
  readonly isFile: boolean
  /** What its value names. */
  readonly kind: Kind | undefined
}

/** Every place of a program; the options of the program itself may stand anywhere. */
export function placesOf(program: CommandTree): readonly Place[] {
  const everywhere = [...program.options.map(optionOffer), help]
  return placesUnder(program, '', everywhere)
}

const help: OptionOffer = {
  names: ['-h', '--help'],
  meaning: 'help',
  takesValue: false,
  choices: [],
  isFile: false,
  kind: undefined,
}

function placesUnder(command: CommandTree, path: string, everywhere: readonly OptionOffer[]): Place[] {
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices)
  const words = [
    ...command.commands.map((below) => ({ word: below.name(), meaning: below.description() })),
    ...choices.map((word) => ({ word, meaning: '' })),
  ]
  const kind = command.registeredArguments.map((argument) => kindOf(argument.name())).find((found) => found)
  const own = path === '' ? [] : command.options.map(optionOffer)
  const below = command.commands.flatMap((one) => placesUnder(one, `${path} ${one.name()}`.trimStart(), everywhere))
  return [{ path, words, kind, options: [...own, ...everywhere] }, ...below]
}

function optionOffer({ short, long, description, required, flags, argChoices = [] }: TreeOption): OptionOffer {
  const names = [short, long].filter((name) => name !== undefined)
  const value = /<(.+)>/.exec(flags)?.[1] ?? ''
  const isFile = value === 'path'
  return { names, meaning: description, takesValue: required, choices: argChoices, isFile, kind: kindOf(value) }
}

/** Arguments and values are called by what they name. */
function kindOf(name: string): Kind | undefined {
  return kinds.find((kind) => kind === name)
}

/** Names of the options behind which a value stands. */
export function valuedNames(places: readonly Place[]): readonly string[] {
  return namesOf(places, ({ takesValue }) => takesValue)
}

/** Names of the options whose value is a file. */
export function fileNames(places: readonly Place[]): readonly string[] {
  return namesOf(places, ({ isFile }) => isFile)
}

/** Names of the options whose value is of a kind. */
export function namesOfKind(places: readonly Place[], kind: Kind): readonly string[] {
  return namesOf(places, (option) => option.kind === kind)
}

/** The options whose value is one of a few, each once. */
export function optionsWithChoices(places: readonly Place[]): readonly OptionOffer[] {
  const options = places.flatMap((place) => place.options).filter(({ choices }) => choices.length > 0)
  return [...new Map(options.map((option) => [option.names.join(), option])).values()]
}

function namesOf(places: readonly Place[], wanted: (option: OptionOffer) => boolean): readonly string[] {
  return [...new Set(places.flatMap(({ options }) => options.filter(wanted).flatMap(({ names }) => names)))]
}
