import type { Milliseconds } from './store.ts'

/** A server's clock: our monotonic one and the offset seen last, exact to half the time its answer took. */
export class RedisClock {
  #offset: Milliseconds = 0

  now(): Milliseconds {
    return performance.timeOrigin + performance.now() + this.#offset
  }

  /** Heeds the reply to TIME; `sent` is performance.now() of its sending. */
  heed([seconds, microseconds]: readonly [Buffer, Buffer], sent: Milliseconds): void {
    const middle = (sent + performance.now()) / 2
    this.#offset = Number(seconds) * 1000 + Number(microseconds) / 1000 - performance.timeOrigin - middle
  }
}
