import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'

import type { Backend } from './backends.ts'
import type { Contender, RunningProxy } from './proxies/contender.ts'
import type { Lane, Round, Stage } from './rows/row.ts'

/** What one round of one contender brought. */
export interface Measured {
  readonly round: Round
  readonly faults: readonly string[]
}

/** Starts a contender in a folder of its own. */
export async function enter(contender: Contender, backends: readonly Backend[], stage: Stage): Promise<RunningProxy> {
  const proxy = await contender.start(backends, mkdtempSync(join(stage.folder, `${contender.kind}-`)))
  stage.noteConfiguration(contender, proxy.configuration)
  return proxy
}

/** Measures A B C A B C …, so that what changes on the machine meanwhile meets everyone alike. */
export async function interleave<Subject extends { readonly contender: Contender }>(
  rounds: number,
  subjects: readonly Subject[],
  stage: Stage,
  measure: (subject: Subject) => Promise<Measured>,
): Promise<Lane[]> {
  const measured = new Map(subjects.map((subject) => [subject, [] as Measured[]]))
  for (let round = 1; round <= rounds; round++) {
    for (const [subject, results] of measured) {
      stage.say(`round ${round} of ${rounds}: ${subject.contender.name}`)
      results.push(await measure(subject))
    }
  }
  return Array.from(measured, ([{ contender }, results]) => laneOf(contender, results))
}

function laneOf({ name, kind }: Contender, measured: readonly Measured[]): Lane {
  const faults = measured.flatMap(({ faults }, index) => faults.map((fault) => `${name}, round ${index + 1}: ${fault}`))
  return { contender: name, kind, rounds: measured.map(({ round }) => round), faults }
}
