import { afterAll, describe, expect, test } from 'vitest'

import { Malformed } from '../../packages/proxy/src/wire/malformed.ts'
import { RequestReader } from '../../packages/proxy/src/wire/request-reader.ts'
import {
  type Campaign,
  requestCampaign,
  requestRelayCampaign,
  responseCampaign,
  responseRelayCampaign,
} from './campaign.ts'
import { FAULTS, plant } from './planted-faults.ts'

const SEED = Number(process.env.STICKY_FUZZ_SEED ?? 20_261)
const TIME = 60_000

const WIRE = { RequestReader, Malformed }

const OF_RESPONSES = [Malformed.statusLine, Malformed.interim, Malformed.switchUnasked, Malformed.unasked]
/** No request is refused for these here. */
const NOT_OF_REQUESTS = [...OF_RESPONSES, Malformed.headSlow]

const report: string[] = []

function told(what: string, campaign: Campaign): void {
  const percent = (count: number): string => `${Math.round((100 * count) / campaign.inputs)} %`
  report.push(
    `fuzz, seed ${SEED}: ${campaign.inputs} ${what}, ${percent(campaign.accepted)} accepted, ${percent(campaign.unfinished)} unfinished; refused for`,
  )
  for (const [reason, count] of [...campaign.refusals].toSorted(([, a], [, b]) => b - a))
    report.push(`${String(count).padStart(9)}  ${reason}`)
}

afterAll(() => console.log(report.join('\n')))

describe('nothing is accepted that Node refuses or reads differently, whole or in pieces', () => {
  test('of 220,000 connections of clients', { timeout: TIME }, () => {
    const campaign = requestCampaign(WIRE, SEED, 220_000)
    told('connections of clients', campaign)

    expect(campaign.finding).toBeUndefined()
    expect(campaign.accepted).toBeGreaterThan(campaign.inputs / 4)
    expect(Object.values(Malformed).filter(({ reason }) => !campaign.refusals.has(reason))).toEqual(NOT_OF_REQUESTS)
  })

  test('of 80,000 connections of backends', { timeout: TIME }, () => {
    const campaign = responseCampaign(SEED, 80_000)
    told('connections of backends', campaign)

    expect(campaign.finding).toBeUndefined()
    expect(campaign.accepted).toBeGreaterThan(campaign.inputs / 4)
    expect(OF_RESPONSES.filter(({ reason }) => !campaign.refusals.has(reason))).toEqual([])
  })
})

describe('what we send is read by Node as what we were sent, and relayed once more it is the same', () => {
  test('by backends', { timeout: TIME }, () => {
    expect(requestRelayCampaign(WIRE, SEED + 1, 30_000).finding).toBeUndefined()
  })

  test('by clients', { timeout: TIME }, () => {
    expect(responseRelayCampaign(SEED + 1, 30_000).finding).toBeUndefined()
  })
})

test.each(Object.entries(FAULTS))('a parser with %s is found out', { timeout: TIME }, async (name, fault) => {
  await using wire = await plant(fault)

  const { finding, inputs } = requestCampaign(wire, SEED, 50_000)

  report.push(`${name}: found out by input ${inputs}, ${finding?.difference}`)
  expect(finding).toBeDefined()
})
