import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { FileWatch } from './file-watch.ts'

let folder = ''
let told = 0
let watch: FileWatch | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sticky-watch-'))
  told = 0
})

afterEach(async () => {
  await watch?.close()
  rmSync(folder, { recursive: true })
})

const at = (...names: string[]): string => join(folder, ...names)

async function watched(name: string): Promise<void> {
  watch = new FileWatch(at(name), async () => void told++)
  await watch.open()
}

async function toldOf(times: number): Promise<void> {
  await expect.poll(() => told, { timeout: 5_000, interval: 10 }).toBe(times)
}

/** A version in a folder of its own, as whoever publishes configurations puts it there. */
function version(name: string, text: string): void {
  mkdirSync(at(name))
  writeFileSync(at(name, 'sticky.yaml'), text)
}

/** Lets a link lead elsewhere in one step. */
function relink(link: string, to: string): void {
  symlinkSync(to, at('link.new'))
  renameSync(at('link.new'), at(link))
}

test('tells of a file that is written', async () => {
  writeFileSync(at('sticky.yaml'), 'one')
  await watched('sticky.yaml')

  writeFileSync(at('sticky.yaml'), 'two')
  await toldOf(1)
  writeFileSync(at('sticky.yaml'), 'one')

  await toldOf(2)
})

test('tells of a file that is put in its place, and of one that was gone meanwhile', async () => {
  writeFileSync(at('sticky.yaml'), 'one')
  await watched('sticky.yaml')

  writeFileSync(at('sticky.yaml~'), 'two')
  renameSync(at('sticky.yaml~'), at('sticky.yaml'))
  await toldOf(1)
  unlinkSync(at('sticky.yaml'))
  await delay(400)
  writeFileSync(at('sticky.yaml'), 'three')

  await toldOf(2)
})

test('tells of a link that is replaced above it, as Kubernetes does with what it mounts', async () => {
  version('..one', 'one')
  version('..two', 'two')
  symlinkSync('..one', at('..data'))
  symlinkSync('..data/sticky.yaml', at('sticky.yaml'))
  await watched('sticky.yaml')

  relink('..data', '..two')

  await toldOf(1)
})

test('tells of a folder on the way to it that is another one now', async () => {
  version('first', 'one')
  version('second', 'two')
  symlinkSync('first', at('current'))
  await watched('current/sticky.yaml')

  relink('current', 'second')
  await toldOf(1)
  rmSync(at('second'), { recursive: true })
  version('second', 'three')

  await toldOf(2)
})

test('tells once of a file that is written piece by piece', async () => {
  writeFileSync(at('sticky.yaml'), 'one')
  await watched('sticky.yaml')

  for (let pieces = 1; pieces <= 12; pieces++) {
    writeFileSync(at('sticky.yaml'), 'two'.repeat(pieces))
    await delay(50)
  }

  await toldOf(1)
  await delay(400)
  expect(told).toBe(1)
})

test('does not tell of a file that is touched, or written as it was', async () => {
  writeFileSync(at('sticky.yaml'), 'one')
  await watched('sticky.yaml')

  utimesSync(at('sticky.yaml'), 1, 1)
  await delay(400)
  writeFileSync(at('sticky.yaml'), 'one')
  await delay(400)

  expect(told).toBe(0)
})

test('tells of nothing once it is closed, be it while it opens', async () => {
  writeFileSync(at('sticky.yaml'), 'one')
  watch = new FileWatch(at('sticky.yaml'), async () => void told++)
  const opening = watch.open()
  await watch.close()
  await opening

  writeFileSync(at('sticky.yaml'), 'two')
  await delay(400)

  expect(told).toBe(0)
})
