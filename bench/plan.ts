/** How much of everything one run of the bench measures. */
export interface Plan {
  readonly name: 'full' | 'quick'
  /** How often each contender is measured in each row. */
  readonly rounds: number
  /** Seconds of load in one round, and before the first. */
  readonly seconds: number
  readonly warmUp: number
  readonly connections: number
  /** Sessions in rotation in the rows of known sessions. */
  readonly knownSessions: number
  readonly idleRounds: number
  readonly idleConnections: number
  readonly storedSessions: number
  /** Follow-ups on the other node, over all rounds. */
  readonly followUps: number
}

/** At most 25 minutes; the only plan whose results are worth keeping. */
export const full: Plan = {
  name: 'full',
  rounds: 5,
  seconds: 4,
  warmUp: 3,
  connections: 64,
  knownSessions: 10_000,
  idleRounds: 3,
  idleConnections: 5000,
  storedSessions: 1_000_000,
  followUps: 50_000,
}

/** At most three minutes: to see while working whether something moved. */
export const quick: Plan = {
  ...full,
  name: 'quick',
  rounds: 2,
  seconds: 1,
  warmUp: 1,
  knownSessions: 1000,
  idleRounds: 1,
  idleConnections: 2000,
  storedSessions: 100_000,
  followUps: 5000,
}
