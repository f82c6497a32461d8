import { type Form, type Outcome, Trial } from './trial.ts'

/** A row of the failure matrix: what is done, and what has to be true of it. */
export interface Row {
  readonly number: number
  /** The failure. */
  readonly name: string
  /** How it is made, in words. */
  readonly does: string
  /** What has to be true, in words. */
  readonly passes: string
  /** In the long form alone: it needs minutes, or all of the machine. */
  readonly isLong?: true
  /** Does it, and tells the trial what it saw; what is opened goes on the trial's stack. */
  run(trial: Trial): Promise<void>
}

/** Runs a row; whatever it throws is a failure of it. */
export async function runRow(row: Row, form: Form): Promise<Outcome> {
  await using trial = new Trial(form)
  try {
    await row.run(trial)
  } catch (error) {
    trial.expect('the row runs to its end', false, (error as Error).message.slice(0, 400))
  }
  return trial.outcome()
}
